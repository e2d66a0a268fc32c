#pragma once

#include <cstdint>

#include "kernels/runner/hash.h"

namespace brink::kernels {

/// A bijection of [0, 2^bits) that scatters neighbours: multiply by odd numbers and fold the high
/// half down, both of which can be undone. bits in [1, 40].
BRINK_HOST_DEVICE inline std::uint64_t scatter_bits(std::uint64_t x, int bits, std::uint64_t seed) {
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  const int half = (bits + 1) / 2;
  x = (x + seed * 0x9e3779b97f4a7c15ULL) & mask;
  for (int round = 0; round < 3; ++round) {
    x = (x * 0xd1342543de82ef95ULL) & mask;
    x ^= x >> half;
    x = (x * 0xaf251af3b0f025b5ULL + 0x632be59bd9b4e019ULL) & mask;
    x ^= x >> half;
  }
  return x;
}

/// Bits that hold the values below `count`; at least 1.
BRINK_HOST_DEVICE inline int bits_for(std::uint64_t count) {
  int bits = 1;
  while ((std::uint64_t{1} << bits) < count) ++bits;
  return bits;
}

/// A bijection of [0, count): walks the cycle of scatter_bits until it comes back below `count`
/// (fewer than two steps on average).
BRINK_HOST_DEVICE inline std::uint64_t scatter(std::uint64_t x, std::uint64_t count, std::uint64_t seed) {
  const int bits = bits_for(count);
  do {
    x = scatter_bits(x, bits, seed);
  } while (x >= count);
  return x;
}

/// A pointer chase over `nodes` cache lines, one in every `stride` bytes, in scattered order.
/// The order is a closed form, so where a chase must end needs no walking.
struct ChaseLayout {
  std::uint64_t nodes = 1;
  std::uint64_t stride = 128;  ///< bytes, a multiple of 128
  std::uint64_t seed = 1;

  BRINK_HOST_DEVICE std::uint64_t bytes() const { return nodes * stride; }
  /// Byte offset of the node that is `position` steps from the start of the cycle. Inside its
  /// stride a node takes one of the lines at random: equal offsets would crowd a few cache sets.
  BRINK_HOST_DEVICE std::uint64_t offset(std::uint64_t position) const {
    const std::uint64_t node = scatter(position % nodes, nodes, seed);
    const std::uint64_t lines = stride / 128;
    return node * stride + (lines > 1 ? hash_u32(seed + 77, node) % lines * 128 : 0);
  }
};

}  // namespace brink::kernels
