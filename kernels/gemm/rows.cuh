#pragma once
// Bits of an output row, compared with the bits it has when it is computed alone.
#include "kernels/device/language.cuh"
#include "kernels/gemm/row_signature.h"

namespace brink::kernels {

/// Grid any, 256 threads. `signature` starts as zeros; every total is an integer, so that atomics in any order give
/// the same bits.
__global__ void __launch_bounds__(256)
    row_signature(const std::uint16_t* row, const std::uint16_t* reference, int n, RowSignature* signature) {
  unsigned long long hash = 0;
  unsigned long long ulps = 0;
  unsigned changed = 0;
  unsigned poisoned = 0;
  unsigned delta_max = 0;
  const int stride = static_cast<int>(gridDim.x * blockDim.x);
  for (int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); i < n; i += stride) {
    const std::uint16_t got = row[i];
    const std::uint16_t want = reference[i];
    hash += hash_term(static_cast<std::uint64_t>(i), got);
    poisoned += got == 0xffff ? 1u : 0u;
    if (got == want) continue;
    ++changed;
    const std::int32_t distance = bf16_ordinal(got) - bf16_ordinal(want);
    ulps += static_cast<unsigned long long>(distance < 0 ? -distance : distance);
    const unsigned delta = __float_as_uint(fabsf(bf16_to_float(got) - bf16_to_float(want)));
    delta_max = delta > delta_max ? delta : delta_max;  // floats of one sign are ordered as their bits are
  }
  for (int offset = 16; offset > 0; offset /= 2) {
    hash += __shfl_xor_sync(full_warp, hash, offset);
    ulps += __shfl_xor_sync(full_warp, ulps, offset);
    changed += __shfl_xor_sync(full_warp, changed, offset);
    poisoned += __shfl_xor_sync(full_warp, poisoned, offset);
    const unsigned other = __shfl_xor_sync(full_warp, delta_max, offset);
    delta_max = other > delta_max ? other : delta_max;
  }
  if (threadIdx.x % 32 != 0) return;
  atomicAdd(&signature->hash, hash);
  atomicAdd(&signature->ulp_total, ulps);
  atomicAdd(&signature->changed, changed);
  atomicAdd(&signature->poisoned, poisoned);
  atomicMax(&signature->delta_max_bits, delta_max);
}

/// to[i] = bf16(scale * normal) keyed by (seed, i).
__global__ void fill_normal_bf16(std::uint16_t* to, std::int64_t count, std::uint64_t seed, float scale) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    to[i] = to_bf16(scale * keyed_normal(seed, static_cast<std::uint64_t>(i)));
  }
}

__global__ void fill_e4m3(std::uint8_t* to, std::int64_t count, std::uint64_t seed) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    to[i] = keyed_e4m3(seed, static_cast<std::uint64_t>(i));
  }
}

}  // namespace brink::kernels
