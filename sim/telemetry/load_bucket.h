// Loads in powers of two: 1, 2, 3-4, 5-8, ... so that a histogram over loads stays small whatever the batch.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace brink::telemetry {

/// Bucket b holds the rows in (2^(b-1), 2^b]; rows <= 1 are in bucket 0.
[[nodiscard]] constexpr std::size_t load_bucket(std::int64_t rows) {
  return rows <= 1 ? 0 : static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(rows - 1)));
}
[[nodiscard]] constexpr std::int64_t load_first(std::size_t bucket) {
  return bucket == 0 ? 1 : (std::int64_t{1} << (bucket - 1)) + 1;
}
[[nodiscard]] constexpr std::int64_t load_last(std::size_t bucket) { return std::int64_t{1} << bucket; }

}  // namespace brink::telemetry
