// Role: draws a number of tokens. One distribution a class; composed by lengths.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "models/base/json.h"
#include "models/base/random.h"

namespace brink::workload {

class Length {
 public:
  virtual ~Length() = default;
  /// Tokens >= 1 of the request `key` belongs to; uses draws >= `draw` of the stream.
  [[nodiscard]] virtual std::int64_t tokens(const RandomStream& stream, StreamKey key, std::uint32_t draw) const = 0;
};

/// Builds the distribution described at `pointer` (fixed, uniform, choice, lognormal or
/// mixture). Throws ConfigError.
[[nodiscard]] std::unique_ptr<Length> make_length(const Json& description, const std::string& pointer);

}  // namespace brink::workload
