#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/gemm/lt_matmul.h"
#include "kernels/gemm/shapes.h"
#include "kernels/runner/device_memory.h"

namespace brink::kernels {

enum class Precision { bf16, e4m3 };

const char* precision_name(Precision precision);

/// Operands of every linear layer of the table, and its products. One arena of random numbers serves as all weights:
/// a shape's copy c starts c * n * k elements into it, so that launches rotate through memory the L2 no longer holds.
class LinearBench {
 public:
  /// `rows_max` rows of input and output at most; outputs at most `output_max` elements.
  LinearBench(std::int64_t rows_max, std::int64_t output_max, std::int64_t arena_bytes, cudaStream_t stream);

  /// Fills weights and inputs; does nothing if they are of this precision already.
  void use(Precision precision);
  /// Y[m, n] = X[m, k] W[n, k]^T in the current precision, bf16 output.
  std::unique_ptr<Matmul> linear(std::int64_t m, const GemmShape& shape) const;
  /// Runs it on the weights' copy `iteration` (modulo the copies there are).
  void run(const Matmul& matmul, const Candidate& candidate, const GemmShape& shape, std::int64_t workspace_bytes,
           int iteration, cudaStream_t stream) const;
  /// Poisons the output, runs once and compares a sample of elements with float64. Throws WrongResult.
  void verify(const Matmul& matmul, const Candidate& candidate, std::int64_t m, const GemmShape& shape,
              std::int64_t workspace_bytes) const;

  std::uint16_t* output() const { return output_.get(); }
  /// Makes rows 1.. of the input differ from before while row 0 stays: `variant` 0 or 1.
  void choose_neighbours(int variant) { variant_ = variant; }
  /// A second input of `rows` rows whose row 0 (of k elements) is the first input's. Needed by variant 1.
  void make_neighbours(std::int64_t rows, std::int64_t k);

 private:
  double element(const GemmShape& shape, std::int64_t row, std::int64_t column) const;

  static constexpr std::int64_t depth_max = 18944;  // longest k of the table

  cudaStream_t stream_;
  LtHandle handle_;
  Precision precision_ = Precision::bf16;
  bool filled_ = false;
  int variant_ = 0;
  DeviceArray<std::uint8_t> arena_;
  DeviceArray<std::uint8_t> input_;
  DeviceArray<std::uint8_t> neighbours_;
  DeviceArray<std::uint16_t> output_;
  DeviceArray<std::uint8_t> workspace_;
  DeviceArray<float> scales_;  // of weights at 0, of inputs at 64
};

}  // namespace brink::kernels
