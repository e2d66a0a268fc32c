#pragma once
// What device code needs besides CUDA C++ itself. Under nvcc these are PTX and intrinsics; the unit tests include
// tests/support/gpu_emulator.h first and run the same kernels on the CPU.
#include "kernels/device/numbers.h"

#if defined(__CUDACC__)
#include <cuda_runtime.h>

#include <cmath>

#define BRINK_UNROLL _Pragma("unroll")
#elif !defined(BRINK_GPU_EMULATOR)
#error "device code needs nvcc, or tests/support/gpu_emulator.h included before it"
#else
#define BRINK_UNROLL
#endif

namespace brink::kernels {

constexpr unsigned full_warp = 0xffffffffu;

#if defined(__CUDACC__)
/// c += a * b for one warp: a is 16x16 (rows), b is 16x8 (columns), bf16 in, fp32 accumulate.
__device__ __forceinline__ void mma_m16n8k16(float (&c)[4], const std::uint32_t (&a)[4],
                                             const std::uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#endif

/// Two floats as bf16 in one register, the first in the low half.
__device__ __forceinline__ std::uint32_t pack_bf16(float low, float high) {
#if defined(__CUDA_ARCH__)
  std::uint32_t packed;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
#else
  return static_cast<std::uint32_t>(bf16_from_float(low)) |
         (static_cast<std::uint32_t>(bf16_from_float(high)) << 16);
#endif
}

__device__ __forceinline__ std::uint16_t to_bf16(float value) {
  return static_cast<std::uint16_t>(pack_bf16(value, 0.0f) & 0xffffu);
}

/// Sum over the block in a fixed tree order, the same in every thread. `scratch` holds 32 floats; the block is a
/// whole number of warps.
__device__ __forceinline__ float block_sum(float value, float* scratch) {
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(full_warp, value, offset);
  const unsigned warp = threadIdx.x / 32;
  __syncthreads();  // scratch may still be read from an earlier reduction
  if (threadIdx.x % 32 == 0) scratch[warp] = value;
  __syncthreads();
  float total = 0.0f;
  for (unsigned i = 0; i < blockDim.x / 32; ++i) total += scratch[i];
  return total;
}

/// Maximum over the block, the same in every thread.
__device__ __forceinline__ float block_max(float value, float* scratch) {
  for (int offset = 16; offset > 0; offset /= 2) {
    value = fmaxf(value, __shfl_xor_sync(full_warp, value, offset));
  }
  const unsigned warp = threadIdx.x / 32;
  __syncthreads();
  if (threadIdx.x % 32 == 0) scratch[warp] = value;
  __syncthreads();
  float result = scratch[0];
  for (unsigned i = 1; i < blockDim.x / 32; ++i) result = fmaxf(result, scratch[i]);
  return result;
}

}  // namespace brink::kernels
