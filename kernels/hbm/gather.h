#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace brink::kernels {

inline constexpr int stream_threads = 256;
inline constexpr int stream_depth = 8;                               // 16-byte accesses in flight a lane
inline constexpr std::uint64_t unit_bytes = 32 * 16 * stream_depth;  // moved by one warp
inline constexpr std::uint64_t block_bytes_moved = unit_bytes * (stream_threads / 32);

/// Reads `bytes` of whole pages of 2^page_shift bytes (512 and more), in the order of `table`, as
/// paged attention reads its blocks. out[i] is the XOR of the i-th unit (reference: xor_of_gather).
/// `bytes` is a multiple of block_bytes_moved.
void enqueue_gather(const void* pool, const std::uint32_t* table, int page_shift, std::uint64_t bytes,
                    std::uint32_t* out, cudaStream_t stream);

}  // namespace brink::kernels
