// What one GPU does when it does two things at once, and when it works for long.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "models/base/object_reader.h"
#include "models/base/units.h"

namespace brink::cost {

/// A memory-bound kernel beside a copy engine that moves data: both share HBM.
struct CopyContention {
  std::string copy;               ///< "d2h", "h2d" or "both"
  Bytes block{0.0};               ///< of one copy
  double kernel_slowdown = 1.0;   ///< kernel time beside the copy over its time alone
  double copy_slowdown = 1.0;     ///< copy time beside the kernel over its time alone
  BytesPerSecond copy_alone{0.0};
};

/// Work back to back until clocks and power settle.
struct SustainedLoad {
  std::string load;               ///< "matmul", "decode_reads", "idle"
  Hertz clock{0.0};               ///< once settled
  Watts power{0.0};
  /// What it does once settled and in its fastest moment: products count operations, reads count bytes.
  std::optional<FlopsPerSecond> flops, burst_flops;
  std::optional<BytesPerSecond> bytes, burst_bytes;
};

/// The `contention` section of a profile.
struct Contention {
  std::vector<CopyContention> copies;
  std::vector<SustainedLoad> sustained;

  /// The entry with the largest block, or nullptr.
  [[nodiscard]] const CopyContention* beside(const std::string& copy) const;
  [[nodiscard]] const SustainedLoad* under(const std::string& load) const;

  /// Throws ConfigError for a field that is missing, mistyped, unknown or out of range.
  static Contention from_json(ObjectReader reader);
  [[nodiscard]] Json to_json() const;
};

}  // namespace brink::cost
