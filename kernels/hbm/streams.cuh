#pragma once

#include <cstdint>

#include "kernels/hbm/gather.h"

// The memory kernels of the hbm group, for hbm.cu alone. A warp moves unit_bytes: eight 16-byte accesses a lane, all
// issued before the first is used. Sizes are whole multiples of what a block moves.
namespace brink::kernels {

__device__ inline std::uint64_t warp_of_grid() {
  return static_cast<std::uint64_t>(blockIdx.x) * (stream_threads / 32) + threadIdx.x / 32;
}
__device__ inline std::uint32_t fold(uint4 v) { return v.x ^ v.y ^ v.z ^ v.w; }

/// out[warp] = XOR of the warp's unit: 0.1 % of what it reads, and every word is checked.
__global__ void __launch_bounds__(stream_threads) read_stream(const uint4* data, std::uint32_t* out) {
  const std::uint64_t warp = warp_of_grid();
  const uint4* mine = data + warp * (unit_bytes / 16) + threadIdx.x % 32;
  uint4 v[stream_depth];
#pragma unroll
  for (int i = 0; i < stream_depth; ++i) v[i] = mine[i * 32];
  std::uint32_t sum = 0;
#pragma unroll
  for (int i = 0; i < stream_depth; ++i) sum ^= fold(v[i]);
  sum = __reduce_xor_sync(0xffffffffU, sum);
  if (threadIdx.x % 32 == 0) out[warp] = sum;
}

__global__ void __launch_bounds__(stream_threads) write_stream(uint4* data, std::uint32_t tag) {
  const std::uint64_t first = warp_of_grid() * (unit_bytes / 16) + threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < stream_depth; ++i) {
    const auto index = static_cast<std::uint32_t>(first + static_cast<std::uint64_t>(i) * 32);
    data[first + static_cast<std::uint64_t>(i) * 32] = make_uint4(index, tag, ~index, index ^ tag);
  }
}

__global__ void __launch_bounds__(stream_threads) copy_stream(uint4* to, const uint4* from) {
  const std::uint64_t first = warp_of_grid() * (unit_bytes / 16) + threadIdx.x % 32;
  uint4 v[stream_depth];
#pragma unroll
  for (int i = 0; i < stream_depth; ++i) v[i] = from[first + static_cast<std::uint64_t>(i) * 32];
#pragma unroll
  for (int i = 0; i < stream_depth; ++i) to[first + static_cast<std::uint64_t>(i) * 32] = v[i];
}

/// a = b + scale * c (McCalpin's STREAM triad), in float.
__global__ void __launch_bounds__(stream_threads)
    triad_stream(float4* a, const float4* b, const float4* c, float scale) {
  const std::uint64_t first = warp_of_grid() * (unit_bytes / 16) + threadIdx.x % 32;
  float4 x[stream_depth];
  float4 y[stream_depth];
#pragma unroll
  for (int i = 0; i < stream_depth; ++i) {
    x[i] = b[first + static_cast<std::uint64_t>(i) * 32];
    y[i] = c[first + static_cast<std::uint64_t>(i) * 32];
  }
#pragma unroll
  for (int i = 0; i < stream_depth; ++i) {
    a[first + static_cast<std::uint64_t>(i) * 32] =
        make_float4(fmaf(scale, y[i].x, x[i].x), fmaf(scale, y[i].y, x[i].y), fmaf(scale, y[i].z, x[i].z),
                    fmaf(scale, y[i].w, x[i].w));
  }
}

/// Each lane reads 16 bytes at a stride of `stride_words` 16-byte words.
__global__ void __launch_bounds__(stream_threads)
    strided_read(const uint4* data, std::uint64_t stride_words, std::uint32_t* out) {
  const std::uint64_t warp = warp_of_grid();
  const std::uint64_t first = warp * (32 * stream_depth) + threadIdx.x % 32;
  uint4 v[stream_depth];
#pragma unroll
  for (int i = 0; i < stream_depth; ++i) v[i] = data[(first + static_cast<std::uint64_t>(i) * 32) * stride_words];
  std::uint32_t sum = 0;
#pragma unroll
  for (int i = 0; i < stream_depth; ++i) sum ^= fold(v[i]);
  sum = __reduce_xor_sync(0xffffffffU, sum);
  if (threadIdx.x % 32 == 0) out[warp] = sum;
}

}  // namespace brink::kernels
