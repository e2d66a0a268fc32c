#pragma once

#include <cstdint>
#include <vector>

namespace brink::kernels {

/// XOR of the 32-bit words [first, first + count) of data filled with hash_u32(seed, index).
std::uint32_t xor_of_words(std::uint64_t seed, std::uint64_t first, std::uint64_t count);

/// The page table of a gather: entry i is where the i-th page read lies, in pages. Pages are drawn
/// without repetition from the first `window_pages` pages, in scattered order; with window_pages
/// 0 they follow one another. Throws std::invalid_argument if the window is too small.
std::vector<std::uint32_t> gather_table(std::uint64_t pages_read, std::uint64_t window_pages, std::uint64_t seed);

/// XOR of the words that one warp reads in the paged gather: bytes [warp * unit, +unit) of the
/// sequence of pages that `table` lists.
std::uint32_t xor_of_gather(std::uint64_t seed, const std::vector<std::uint32_t>& table, std::uint64_t page_bytes,
                            std::uint64_t warp, std::uint64_t unit_bytes);

}  // namespace brink::kernels
