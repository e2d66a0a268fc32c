#include <cuda_bf16.h>

#include "kernels/runner/device_memory.h"
#include "kernels/runner/hash.h"

namespace brink::kernels {
namespace {

constexpr int block = 256;

template <typename T, typename Value>
__global__ void fill(T* data, std::size_t count, Value value) {
  const std::size_t stride = static_cast<std::size_t>(gridDim.x) * blockDim.x;
  for (std::size_t i = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    data[i] = value(i);
  }
}

struct U32 {
  std::uint64_t seed;
  __device__ std::uint32_t operator()(std::size_t i) const { return hash_u32(seed, i); }
};
struct Unit {
  std::uint64_t seed;
  __device__ float operator()(std::size_t i) const { return hash_unit(seed, i); }
};
struct Bf16Unit {
  std::uint64_t seed;
  float scale;
  __device__ __nv_bfloat16 operator()(std::size_t i) const {
    return __float2bfloat16_rn(hash_bf16_unit(seed, i) * scale);
  }
};

template <typename T, typename Value>
void launch_fill(T* data, std::size_t count, Value value, cudaStream_t stream) {
  if (count == 0) return;
  const std::size_t blocks = (count + block - 1) / block;
  fill<<<static_cast<unsigned>(blocks < 8192 ? blocks : 8192), block, 0, stream>>>(data, count, value);
  BRINK_CUDA_CHECK(cudaGetLastError());
}

}  // namespace

void fill_u32(std::uint32_t* data, std::size_t count, std::uint64_t seed, cudaStream_t stream) {
  launch_fill(data, count, U32{seed}, stream);
}
void fill_float(float* data, std::size_t count, std::uint64_t seed, cudaStream_t stream) {
  launch_fill(data, count, Unit{seed}, stream);
}
void fill_bf16(void* data, std::size_t count, std::uint64_t seed, float scale, cudaStream_t stream) {
  launch_fill(static_cast<__nv_bfloat16*>(data), count, Bf16Unit{seed, scale}, stream);
}

}  // namespace brink::kernels
