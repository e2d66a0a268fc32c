#pragma once
// Runs CUDA device code of one block at a time on the CPU, one fibre per thread, so that index arithmetic,
// barriers and shuffles of a kernel are tested where there is no GPU. Include it before any .cuh.
//
// Stricter than hardware on purpose: a barrier that not every thread of the block (or warp) reaches is reported
// as a deadlock, and the order in which threads run is a parameter, so a missing barrier changes results.
#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <vector>

#define BRINK_GPU_EMULATOR 1
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__
#define __shared__ static

namespace brink::emulator {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
};

struct Barrier {
  unsigned arrived = 0;
  unsigned generation = 0;
};

struct Warp {
  Barrier barrier;
  std::uint64_t slot[32] = {};
  std::uint32_t a[32][4] = {};
  std::uint32_t b[32][2] = {};
};

struct Fibre {
  ucontext_t context = {};
  std::unique_ptr<char[]> stack;
  Dim3 index;
  unsigned linear = 0;
  bool done = false;
};

/// The block that runs now; one at a time in a process.
struct Block {
  Dim3 grid, shape, index;
  std::vector<Fibre> fibres;
  std::vector<Warp> warps;
  Barrier barrier;
  ucontext_t scheduler = {};
  Fibre* running = nullptr;
  std::uint64_t progress = 0;  // barriers passed and threads finished
  const std::function<void()>* body = nullptr;
};

inline Block*& current() {
  static Block* block = nullptr;
  return block;
}

inline void yield() {
  Block& block = *current();
  swapcontext(&block.running->context, &block.scheduler);
}

inline void wait_at(Barrier& barrier, unsigned count) {
  const unsigned generation = barrier.generation;
  if (++barrier.arrived == count) {
    barrier.arrived = 0;
    ++barrier.generation;
    ++current()->progress;
    return;
  }
  while (barrier.generation == generation) yield();
}

inline unsigned lane() { return current()->running->linear % 32; }
inline Warp& warp() { return current()->warps[current()->running->linear / 32]; }
inline void warp_wait() {
  const unsigned first = current()->running->linear / 32 * 32;
  const unsigned threads = static_cast<unsigned>(current()->fibres.size());
  wait_at(warp().barrier, threads - first < 32 ? threads - first : 32);
}

template <typename T>
T exchange(T value, unsigned source) {
  static_assert(sizeof(T) <= 8, "one register pair at most");
  Warp& mine = warp();
  std::memcpy(&mine.slot[lane()], &value, sizeof(T));
  warp_wait();
  T result;
  std::memcpy(&result, &mine.slot[source % 32], sizeof(T));
  warp_wait();
  return result;
}

inline void fibre_main() {
  Block& block = *current();
  Fibre* self = block.running;
  (*block.body)();
  self->done = true;
  ++block.progress;
  swapcontext(&self->context, &block.scheduler);
}

inline void run_block(Block& block, const std::function<void()>& body, unsigned order) {
  const unsigned threads = block.shape.x * block.shape.y * block.shape.z;
  constexpr std::size_t stack_bytes = 128 * 1024;
  block.fibres = std::vector<Fibre>(threads);
  block.warps = std::vector<Warp>((threads + 31) / 32);
  block.body = &body;
  current() = &block;
  for (unsigned i = 0; i < threads; ++i) {
    Fibre& fibre = block.fibres[i];
    fibre.linear = i;
    fibre.index = {i % block.shape.x, i / block.shape.x % block.shape.y, i / block.shape.x / block.shape.y};
    fibre.stack = std::unique_ptr<char[]>(new char[stack_bytes]);
    getcontext(&fibre.context);
    fibre.context.uc_stack.ss_sp = fibre.stack.get();
    fibre.context.uc_stack.ss_size = stack_bytes;
    makecontext(&fibre.context, fibre_main, 0);
  }
  unsigned left = threads;
  while (left > 0) {
    const std::uint64_t before = block.progress;
    for (unsigned i = 0; i < threads; ++i) {
      // order 0 forward, 1 backward, otherwise strided by an odd step
      const unsigned at = order == 0 ? i : order == 1 ? threads - 1 - i : (i * (2 * order + 1)) % threads;
      Fibre& fibre = block.fibres[at];
      if (fibre.done) continue;
      block.running = &fibre;
      swapcontext(&block.scheduler, &fibre.context);
      if (fibre.done) --left;
    }
    if (left > 0 && block.progress == before) {
      throw std::runtime_error("gpu emulator: a barrier was not reached by every thread");
    }
  }
  current() = nullptr;
}

/// Runs `kernel()` for every block of the grid. `order` picks the order of threads and blocks.
inline void launch(Dim3 grid, Dim3 shape, const std::function<void()>& kernel, unsigned order = 0) {
  const unsigned blocks = grid.x * grid.y * grid.z;
  for (unsigned i = 0; i < blocks; ++i) {
    const unsigned at = order == 1 ? blocks - 1 - i : i;
    Block block;
    block.grid = grid;
    block.shape = shape;
    block.index = {at % grid.x, at / grid.x % grid.y, at / grid.x / grid.y};
    run_block(block, kernel, order);
  }
}

inline float bf16_bits_to_float(std::uint32_t bits) {
  const std::uint32_t word = bits << 16;
  float value;
  std::memcpy(&value, &word, 4);
  return value;
}

}  // namespace brink::emulator

#define threadIdx (brink::emulator::current()->running->index)
#define blockIdx (brink::emulator::current()->index)
#define blockDim (brink::emulator::current()->shape)
#define gridDim (brink::emulator::current()->grid)

struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(8) float2 {
  float x, y;
};

inline void __syncthreads() {
  auto& block = *brink::emulator::current();
  brink::emulator::wait_at(block.barrier, static_cast<unsigned>(block.fibres.size()));
}
inline void __syncwarp() { brink::emulator::warp_wait(); }
template <typename T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  return brink::emulator::exchange(value, brink::emulator::lane() ^ static_cast<unsigned>(mask));
}
inline std::uint32_t __float_as_uint(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
inline float __uint_as_float(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
inline std::uint32_t __byte_perm(std::uint32_t a, std::uint32_t b, std::uint32_t selector) {
  const std::uint64_t bytes = (static_cast<std::uint64_t>(b) << 32) | a;
  std::uint32_t result = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned pick = (selector >> (4 * i)) & 7;
    result |= static_cast<std::uint32_t>((bytes >> (8 * pick)) & 0xff) << (8 * i);
  }
  return result;
}
template <typename T>
T atomicAdd(T* at, T value) {
  const T old = *at;
  *at = static_cast<T>(old + value);
  return old;
}
template <typename T>
T atomicMax(T* at, T value) {
  const T old = *at;
  if (value > old) *at = value;
  return old;
}

namespace brink::kernels {
/// mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 by the fragment layout of the PTX manual.
inline void mma_m16n8k16(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  auto& warp = emulator::warp();
  const unsigned lane = emulator::lane();
  std::memcpy(warp.a[lane], a, sizeof(a));
  std::memcpy(warp.b[lane], b, sizeof(b));
  emulator::warp_wait();
  const auto element = [](std::uint32_t word, unsigned half) {
    return static_cast<double>(emulator::bf16_bits_to_float((word >> (16 * half)) & 0xffff));
  };
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned row = lane / 4 + (i >= 2 ? 8 : 0);
    const unsigned column = lane % 4 * 2 + i % 2;
    double sum = static_cast<double>(c[i]);
    for (unsigned k = 0; k < 16; ++k) {
      const unsigned a_lane = row % 8 * 4 + k % 8 / 2;
      const unsigned a_register = (row >= 8 ? 1 : 0) + (k >= 8 ? 2 : 0);
      const unsigned b_lane = column * 4 + k % 8 / 2;
      sum += element(warp.a[a_lane][a_register], k % 2) * element(warp.b[b_lane][k >= 8 ? 1 : 0], k % 2);
    }
    c[i] = static_cast<float>(sum);
  }
  emulator::warp_wait();
}
}  // namespace brink::kernels
