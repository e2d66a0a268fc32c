#include "kernels/overlap/matmul.h"

#include "kernels/overlap/reference.h"
#include "kernels/runner/cuda_check.h"
#include "kernels/runner/hash.h"
#include "kernels/runner/verify.h"

namespace brink::kernels {
namespace {

constexpr std::uint64_t seed_a = 51;
constexpr std::uint64_t seed_b = 52;
constexpr std::size_t workspace_bytes = std::size_t{32} << 20;  // what NVIDIA recommends on Hopper

}  // namespace

SquareMatmul::SquareMatmul(std::uint64_t n, cudaStream_t stream)
    : n_(n), a_(n * n), b_(n * n), c_(n * n), workspace_(workspace_bytes) {
  // Random data: a product of zeros draws less power and runs at higher clocks.
  fill_bf16(a_.get(), a_.size(), seed_a, 1.0F, stream);
  fill_bf16(b_.get(), b_.size(), seed_b, 1.0F, stream);
  BRINK_CUBLAS_CHECK(cublasLtCreate(&handle_));
  BRINK_CUBLAS_CHECK(cublasLtMatmulDescCreate(&operation_, CUBLAS_COMPUTE_32F, CUDA_R_32F));
  const cublasOperation_t transposed = CUBLAS_OP_T;
  const cublasOperation_t plain = CUBLAS_OP_N;
  BRINK_CUBLAS_CHECK(
      cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed));
  BRINK_CUBLAS_CHECK(cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_TRANSB, &plain, sizeof plain));
  // Square: one layout serves all three.
  BRINK_CUBLAS_CHECK(cublasLtMatrixLayoutCreate(&layout_, CUDA_R_16BF, n, n, static_cast<std::int64_t>(n)));
  cublasLtMatmulPreference_t preference = nullptr;
  BRINK_CUBLAS_CHECK(cublasLtMatmulPreferenceCreate(&preference));
  const std::size_t workspace = workspace_bytes;
  cublasLtMatmulHeuristicResult_t result{};
  int found = 0;
  cublasStatus_t status = cublasLtMatmulPreferenceSetAttribute(
      preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof workspace);
  if (status == CUBLAS_STATUS_SUCCESS) {
    status = cublasLtMatmulAlgoGetHeuristic(handle_, operation_, layout_, layout_, layout_, layout_, preference, 1,
                                            &result, &found);
  }
  cublasLtMatmulPreferenceDestroy(preference);
  BRINK_CUBLAS_CHECK(status);
  if (found == 0) throw CudaError("cuBLASLt has no algorithm for a square bfloat16 product", false);
  algorithm_ = result.algo;
}

SquareMatmul::~SquareMatmul() {
  if (layout_ != nullptr) cublasLtMatrixLayoutDestroy(layout_);
  if (operation_ != nullptr) cublasLtMatmulDescDestroy(operation_);
  if (handle_ != nullptr) cublasLtDestroy(handle_);
}

void SquareMatmul::enqueue(cudaStream_t stream) const {
  const float one = 1.0F;
  const float zero = 0.0F;
  BRINK_CUBLAS_CHECK(cublasLtMatmul(handle_, operation_, &one, a_.get(), layout_, b_.get(), layout_, &zero, c_.get(),
                                    layout_, c_.get(), layout_, &algorithm_, workspace_.get(), workspace_.bytes(),
                                    stream));
}

void SquareMatmul::verify(cudaStream_t stream) const {
  c_.poison(stream);
  enqueue(stream);
  std::vector<float> got;
  std::vector<double> want;
  for (std::uint64_t i = 0; i < 256; ++i) {
    const std::uint64_t row = i == 0 ? n_ - 1 : hash_u32(61, i) % n_;
    const std::uint64_t column = i == 0 ? n_ - 1 : hash_u32(62, i) % n_;
    got.push_back(bf16_to_float(c_.to_host(stream, column * n_ + row, 1).front()));
    want.push_back(product_element(seed_a, seed_b, row, column, n_));
  }
  // bfloat16 rounds the result by 0.11 % root mean square; the float sum adds far less.
  require_close("matrix product", got.data(), want.data(), got.size(), 0.004);
}

}  // namespace brink::kernels
