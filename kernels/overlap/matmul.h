#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/runner/device_memory.h"

namespace brink::kernels {

/// C = A^T B in bfloat16 with float accumulation, n x n x n: the load of the clock and power points.
class SquareMatmul {
 public:
  SquareMatmul(std::uint64_t n, cudaStream_t stream);
  ~SquareMatmul();
  SquareMatmul(const SquareMatmul&) = delete;
  SquareMatmul& operator=(const SquareMatmul&) = delete;

  void enqueue(cudaStream_t stream) const;
  /// Poisons C, multiplies once and compares 256 elements with the float64 reference.
  void verify(cudaStream_t stream) const;
  double flops() const { return 2.0 * static_cast<double>(n_) * static_cast<double>(n_) * static_cast<double>(n_); }

 private:
  std::uint64_t n_;
  DeviceArray<std::uint16_t> a_, b_, c_;
  DeviceArray<unsigned char> workspace_;
  cublasLtHandle_t handle_ = nullptr;
  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t layout_ = nullptr;
  cublasLtMatmulAlgo_t algorithm_{};
};

}  // namespace brink::kernels
