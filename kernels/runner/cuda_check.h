#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

namespace brink::kernels {

/// A CUDA or cuBLASLt call failed. The message names the call, the file and the line.
class CudaError : public std::runtime_error {
 public:
  CudaError(const std::string& message, bool out_of_memory)
      : std::runtime_error(message), out_of_memory_(out_of_memory) {}
  bool out_of_memory() const { return out_of_memory_; }

 private:
  bool out_of_memory_;
};

/// "kernels/runner/measure.cu:12": the part of a source's name that is the same wherever it was built.
inline std::string source_line(const std::string& file, int line) {
  const std::size_t folder = file.rfind("kernels/");
  return (folder == std::string::npos ? file : file.substr(folder)) + ":" + std::to_string(line);
}

inline void check_cuda(cudaError_t status, const char* call, const char* file, int line) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // a refused allocation must not fail the next check too
  throw CudaError(source_line(file, line) + ": " + call + ": " + cudaGetErrorName(status) +
                      " (" + cudaGetErrorString(status) + ")",
                  status == cudaErrorMemoryAllocation);
}

inline void check_cublas(cublasStatus_t status, const char* call, const char* file, int line) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw CudaError(source_line(file, line) + ": " + call + ": cuBLASLt status " +
                      std::to_string(static_cast<int>(status)) + " (" + cublasLtGetStatusName(status) + ")",
                  status == CUBLAS_STATUS_ALLOC_FAILED);
}

}  // namespace brink::kernels

/// Every CUDA runtime call goes through this; after a launch use BRINK_CUDA_CHECK(cudaGetLastError()).
#define BRINK_CUDA_CHECK(call) ::brink::kernels::check_cuda((call), #call, __FILE__, __LINE__)
#define BRINK_CUBLAS_CHECK(call) ::brink::kernels::check_cublas((call), #call, __FILE__, __LINE__)
