#include "kernels/gemm/rows.cuh"
#include "kernels/gemm/rows.h"
#include "kernels/runner/cuda_check.h"

namespace brink::kernels {

namespace {
constexpr int fill_blocks = 4096;  // many times what fits on any device, a grid-stride loop does the rest
constexpr int fill_threads = 256;
}  // namespace

void fill_normal(std::uint16_t* to, std::int64_t count, std::uint64_t seed, float scale, cudaStream_t stream) {
  fill_normal_bf16<<<fill_blocks, fill_threads, 0, stream>>>(to, count, seed, scale);
  BRINK_CUDA_CHECK(cudaGetLastError());
}

void fill_fp8(std::uint8_t* to, std::int64_t count, std::uint64_t seed, cudaStream_t stream) {
  fill_e4m3<<<fill_blocks, fill_threads, 0, stream>>>(to, count, seed);
  BRINK_CUDA_CHECK(cudaGetLastError());
}

void sign_row(const std::uint16_t* row, const std::uint16_t* reference, int n, RowSignature* signature,
              cudaStream_t stream) {
  const int blocks = (n + 1023) / 1024;
  row_signature<<<blocks, 256, 0, stream>>>(row, reference, n, signature);
  BRINK_CUDA_CHECK(cudaGetLastError());
}

}  // namespace brink::kernels
