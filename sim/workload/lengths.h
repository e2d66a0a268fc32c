// The two lengths of a request.
#pragma once

#include <memory>
#include <string>

#include "models/base/object_reader.h"
#include "sim/workload/empirical.h"
#include "sim/workload/length.h"

namespace brink::workload {

/// Draws the lengths of each request, keyed by its number: independent of the arrivals and,
/// unless both come from the rows of one table, of each other.
class Lengths {
 public:
  /// Reads "input_tokens" and "output_tokens" of a workload. Throws ConfigError, TraceError.
  Lengths(ObjectReader& workload, const std::string& base_dir, std::uint64_t seed);

  struct Pair {
    std::int64_t input_tokens, output_tokens;
  };
  [[nodiscard]] Pair of(std::uint64_t request) const;

 private:
  std::shared_ptr<const LengthTable> joint_;  // set when one table gives both lengths row by row
  std::unique_ptr<Length> input_, output_;
  RandomStream input_stream_, output_stream_, row_stream_;
};

}  // namespace brink::workload
