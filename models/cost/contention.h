// What one GPU does when it does two things at once, and when it works for long.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "models/base/object_reader.h"
#include "models/base/units.h"

namespace brink::cost {

/// A kernel beside a copy engine that moves data: both share HBM.
struct CopyContention {
  std::string copy;              ///< "to_host", "from_host", "both"
  double kernel_slowdown = 1.0;  ///< kernel time beside the copy over its time alone
  double copy_slowdown = 1.0;    ///< copy time beside the kernel over its time alone
  BytesPerSecond copy_rate{0.0}; ///< of the copy beside the kernel
};

/// Matrix products back to back until clocks and power settle.
struct SustainedClock {
  std::string type;           ///< "bf16" or "fp8"
  Hertz clock{0.0};           ///< once settled
  Watts power{0.0};
  FlopsPerSecond rate{0.0};   ///< once settled
  FlopsPerSecond burst{0.0};  ///< of the first moments, at the boost clock
};

/// The `contention` section of a profile.
struct Contention {
  std::vector<CopyContention> copies;
  std::vector<SustainedClock> sustained;

  [[nodiscard]] const CopyContention* beside(const std::string& copy) const;
  [[nodiscard]] const SustainedClock* at(const std::string& type) const;

  /// Throws ConfigError for a field that is missing, mistyped, unknown or out of range.
  static Contention from_json(ObjectReader reader);
  [[nodiscard]] Json to_json() const;
};

}  // namespace brink::cost
