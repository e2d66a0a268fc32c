#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <vector>

#include "kernels/gemm/tactic.h"

namespace brink::kernels {

class LtHandle {
 public:
  LtHandle();
  ~LtHandle();
  LtHandle(const LtHandle&) = delete;
  LtHandle& operator=(const LtHandle&) = delete;
  cublasLtHandle_t get() const { return handle_; }

 private:
  cublasLtHandle_t handle_ = nullptr;
};

/// D = op(A) B as cuBLASLt sees it: column-major, D is rows x columns, op(A) rows x depth, B depth x columns.
/// Batched: `batch` of them, `stride_*` elements apart. Accumulates in fp32.
struct MatmulSpec {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t depth = 0;
  bool transpose_a = false;
  std::int64_t lda = 0;
  std::int64_t ldb = 0;
  std::int64_t ldd = 0;
  cudaDataType_t operand = CUDA_R_16BF;  ///< of A and B; CUDA_R_8F_E4M3 needs transpose_a
  cudaDataType_t result = CUDA_R_16BF;
  int batch = 1;
  std::int64_t stride_a = 0;
  std::int64_t stride_b = 0;
  std::int64_t stride_d = 0;
};

/// Y[m, n] = X[m, k] W[n, k]^T with row-major X, W, Y: A = W (transposed), B = X, D = Y^T, the layout of every
/// inference engine's linear layer and the only one fp8 has.
MatmulSpec linear_spec(std::int64_t m, std::int64_t n, std::int64_t k, cudaDataType_t operand, cudaDataType_t result);

/// An algorithm the heuristic offered.
struct Candidate {
  cublasLtMatmulAlgo_t algo = {};
  Tactic tactic;
  double waves = 0;
};

/// One matrix product's descriptors. Pointers given to run() must be aligned to 256 bytes: the heuristic assumes it.
class Matmul {
 public:
  Matmul(const LtHandle& handle, const MatmulSpec& spec);
  ~Matmul();
  Matmul(const Matmul&) = delete;
  Matmul& operator=(const Matmul&) = delete;

  /// Device scalars that multiply A and B: fp8 only.
  void set_scales(const float* scale_a, const float* scale_b);
  /// Best first, at most `count`, each within the workspace; empty if none fits. Host work only.
  std::vector<Candidate> candidates(std::int64_t workspace_bytes, int count) const;
  /// The first candidate. Throws CudaError if there is none.
  Candidate best(std::int64_t workspace_bytes) const;
  void run(const Candidate& candidate, const void* a, const void* b, void* d, void* workspace,
           std::int64_t workspace_bytes, cudaStream_t stream) const;

 private:
  cublasLtHandle_t handle_;
  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t a_ = nullptr;
  cublasLtMatrixLayout_t b_ = nullptr;
  cublasLtMatrixLayout_t d_ = nullptr;
};

}  // namespace brink::kernels
