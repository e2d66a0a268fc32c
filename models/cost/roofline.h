// The two laws no kernel escapes (roofline: Williams, Waterman, Patterson, CACM 52(4), 2009) and the
// two quantisations of a tiled one (NVIDIA Deep Learning Performance guide, "Matrix Multiplication
// Background": tile and wave quantisation).
#pragma once

#include <algorithm>
#include <cstdint>

#include "models/base/units.h"

namespace brink::cost {

[[nodiscard]] constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Output tile of one thread block, in elements.
struct Tile {
  std::int64_t rows = 128;
  std::int64_t columns = 128;
};

/// Thread blocks that cover an m x n output.
[[nodiscard]] constexpr std::int64_t tile_count(std::int64_t m, std::int64_t n, Tile tile) {
  return ceil_div(m, tile.rows) * ceil_div(n, tile.columns);
}

/// Useful share of the covered output: m n / (covered rows x covered columns), in (0, 1].
[[nodiscard]] constexpr double tile_efficiency(std::int64_t m, std::int64_t n, Tile tile) {
  return static_cast<double>(m) * static_cast<double>(n) /
         (static_cast<double>(ceil_div(m, tile.rows) * tile.rows) * static_cast<double>(ceil_div(n, tile.columns) * tile.columns));
}

/// Rounds of `slots` concurrent thread blocks needed for `blocks` of them.
[[nodiscard]] constexpr std::int64_t wave_count(std::int64_t blocks, std::int64_t slots) { return ceil_div(blocks, slots); }

/// Busy share of the slots over all waves, in (0, 1].
[[nodiscard]] constexpr double wave_efficiency(std::int64_t blocks, std::int64_t slots) {
  return static_cast<double>(blocks) / static_cast<double>(wave_count(blocks, slots) * slots);
}

/// Least possible time of `work` over `traffic` bytes.
[[nodiscard]] constexpr Seconds roofline(Flops work, Bytes traffic, FlopsPerSecond peak, BytesPerSecond bandwidth) {
  return std::max(work / peak, traffic / bandwidth);
}

}  // namespace brink::cost
