#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace brink::kernels {

/// How a batch's KV blocks lie in the pool.
enum class Scatter {
  contiguous,   ///< each sequence's blocks in order, sequences one after the other
  interleaved,  ///< block b of every sequence side by side: what decoding sequences that grow together get
  random,       ///< a random permutation of the pool: an engine after hours of service
};

const char* scatter_name(Scatter scatter);

/// Block tables [rows][stride] of sequences with these contexts, on pool blocks [first_block, first_block + needed);
/// each block used once. Throws std::invalid_argument if the pool ends before.
std::vector<std::int32_t> block_tables(const std::vector<std::int32_t>& contexts, int stride, Scatter scatter,
                                       int first_block, int pool_blocks, std::uint64_t seed);

/// `batch` contexts that sum to batch * mean: all equal, or spread log-normally (sigma 1) and keyed by seed.
std::vector<std::int32_t> equal_contexts(int batch, int mean);
std::vector<std::int32_t> ragged_contexts(int batch, int mean, std::uint64_t seed);

int blocks_needed(const std::vector<std::int32_t>& contexts);

}  // namespace brink::kernels
