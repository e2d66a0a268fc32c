#pragma once

#include <cstdint>

namespace brink::kernels {

/// Wall time of the device, ns; ticks every 32 ns to 1 us depending on the board.
__device__ inline std::uint64_t global_ns() {
  std::uint64_t t;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(t)::"memory");
  return t;
}

/// Cycles of this SM; ordered among memory accesses by the compiler.
__device__ inline long long sm_clock() {
  long long t;
  asm volatile("mov.u64 %0, %%clock64;" : "=l"(t)::"memory");
  return t;
}

__device__ inline unsigned sm_id() {
  unsigned id;
  asm volatile("mov.u32 %0, %%smid;" : "=r"(id));
  return id;
}

/// A load that the L1 does not serve.
__device__ inline std::uint64_t load_l2(const void* address) {
  std::uint64_t value;
  asm volatile("ld.global.cg.u64 %0, [%1];" : "=l"(value) : "l"(address) : "memory");
  return value;
}

}  // namespace brink::kernels
