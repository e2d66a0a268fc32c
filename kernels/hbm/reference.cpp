#include "kernels/hbm/reference.h"

#include <algorithm>
#include <stdexcept>

#include "kernels/runner/chase.h"
#include "kernels/runner/hash.h"

namespace brink::kernels {

std::uint32_t xor_of_words(std::uint64_t seed, std::uint64_t first, std::uint64_t count) {
  std::uint32_t sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) sum ^= hash_u32(seed, first + i);
  return sum;
}

std::vector<std::uint32_t> gather_table(std::uint64_t pages_read, std::uint64_t window_pages, std::uint64_t seed) {
  if (window_pages > 0 && window_pages < pages_read) {
    throw std::invalid_argument("gather_table: a window of " + std::to_string(window_pages) + " pages cannot give " +
                                std::to_string(pages_read) + " different ones");
  }
  std::vector<std::uint32_t> table(pages_read);
  for (std::uint64_t i = 0; i < pages_read; ++i) {
    table[i] = static_cast<std::uint32_t>(window_pages == 0 ? i : scatter(i, window_pages, seed));
  }
  return table;
}

std::uint32_t xor_of_gather(std::uint64_t seed, const std::vector<std::uint32_t>& table, std::uint64_t page_bytes,
                            std::uint64_t warp, std::uint64_t unit_bytes) {
  std::uint32_t sum = 0;
  const std::uint64_t step = std::min(page_bytes, unit_bytes);
  for (std::uint64_t at = warp * unit_bytes; at < (warp + 1) * unit_bytes; at += step) {
    const std::uint64_t byte = table[at / page_bytes] * page_bytes + at % page_bytes;
    sum ^= xor_of_words(seed, byte / 4, step / 4);
  }
  return sum;
}

}  // namespace brink::kernels
