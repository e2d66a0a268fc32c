// Named counter-based random streams (Philox4x32-10, Salmon et al., SC'11, via Random123).
// A draw is a pure function of (seed, stream name, key, index): adding a component or
// reordering calls changes no other draw, and what-ifs share random numbers.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace brink {

/// What a draw belongs to, e.g. {request, token} or {replica, step, rank}. Any values do; a
/// draw costs half as much while a < 2^48, b < 2^32 and c < 2^16.
struct StreamKey {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::uint64_t c = 0;
};

class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::string_view name);

  /// Uniform in (0, 1), an odd multiple of 2^-53, never 0 or 1. `draw` numbers independent draws of one key.
  [[nodiscard]] double uniform(StreamKey key, std::uint32_t draw = 0) const;
  /// Standard exponential (mean 1) by inversion.
  [[nodiscard]] double exponential(StreamKey key, std::uint32_t draw = 0) const;
  /// Standard normal by its quantile function (one uniform a draw, monotone in it).
  [[nodiscard]] double normal(StreamKey key, std::uint32_t draw = 0) const;
  /// Gamma with the given shape > 0 and mean 1 (Marsaglia & Tsang 2000); uses draws >= `draw`.
  [[nodiscard]] double gamma_mean_one(double shape, StreamKey key, std::uint32_t draw = 0) const;
  /// Integer in [0, n).
  [[nodiscard]] std::uint64_t below(std::uint64_t n, StreamKey key, std::uint32_t draw = 0) const;
  [[nodiscard]] std::uint64_t bits(StreamKey key, std::uint32_t draw = 0) const;

 private:
  std::array<std::uint32_t, 2> philox_key_;
};

}  // namespace brink
