#include "kernels/gemm/linear_bench.h"

#include <algorithm>

#include "kernels/device/numbers.h"
#include "kernels/gemm/rows.h"
#include "kernels/runner/verify.h"

namespace brink::kernels {

namespace {

constexpr std::uint64_t weight_seed = 0x77656967;
constexpr std::uint64_t input_seed = 0x696e7075;
constexpr std::uint64_t neighbour_seed = 0x6e656967;
constexpr float weight_scale = 0.015625f;  // 2^-6: about the deviation of trained weights, exact in every format

std::int64_t element_bytes(Precision precision) { return precision == Precision::bf16 ? 2 : 1; }

cudaDataType_t cuda_type(Precision precision) { return precision == Precision::bf16 ? CUDA_R_16BF : CUDA_R_8F_E4M3; }

void fill(std::uint8_t* to, std::int64_t bytes, Precision precision, std::uint64_t seed, float scale,
          cudaStream_t stream) {
  if (precision == Precision::bf16) {
    fill_normal(reinterpret_cast<std::uint16_t*>(to), bytes / 2, seed, scale, stream);
  } else {
    fill_fp8(to, bytes, seed, stream);
  }
}

/// What fill() wrote at `index`, with the scale that the product applies to it.
double filled_value(Precision precision, std::uint64_t seed, float scale, std::int64_t index) {
  const auto at = static_cast<std::uint64_t>(index);
  if (precision == Precision::bf16) return bf16_to_float(bf16_from_float(scale * keyed_normal(seed, at)));
  return static_cast<double>(scale) * e4m3_to_float(keyed_e4m3(seed, at));
}

}  // namespace

const char* precision_name(Precision precision) { return precision == Precision::bf16 ? "bf16" : "e4m3"; }

LinearBench::LinearBench(std::int64_t rows_max, std::int64_t output_max, std::int64_t arena_bytes, cudaStream_t stream)
    : stream_(stream),
      arena_(static_cast<std::size_t>(arena_bytes)),
      input_(static_cast<std::size_t>(rows_max * depth_max * 2)),
      output_(static_cast<std::size_t>(output_max)),
      workspace_(static_cast<std::size_t>(gemm_workspaces().back())),
      scales_(128) {
  std::vector<float> scales(128, 1.0f);
  scales[0] = weight_scale;
  scales_.from_host(scales);
}

void LinearBench::use(Precision precision) {
  if (filled_ && precision == precision_) return;
  precision_ = precision;
  filled_ = true;
  fill(arena_.get(), static_cast<std::int64_t>(arena_.bytes()), precision, weight_seed, weight_scale, stream_);
  fill(input_.get(), static_cast<std::int64_t>(input_.bytes()), precision, input_seed, 1.0f, stream_);
}

void LinearBench::make_neighbours(std::int64_t rows, std::int64_t k) {
  const std::int64_t bytes = element_bytes(precision_);
  if (neighbours_.size() == 0) neighbours_ = DeviceArray<std::uint8_t>(static_cast<std::size_t>(rows * depth_max * 2));
  fill(neighbours_.get(), rows * k * bytes, precision_, neighbour_seed, 1.0f, stream_);
  BRINK_CUDA_CHECK(cudaMemcpyAsync(neighbours_.get(), input_.get(), static_cast<std::size_t>(k * bytes),
                                   cudaMemcpyDeviceToDevice, stream_));
}

std::unique_ptr<Matmul> LinearBench::linear(std::int64_t m, const GemmShape& shape) const {
  auto matmul = std::make_unique<Matmul>(handle_, linear_spec(m, shape.n, shape.k, cuda_type(precision_), CUDA_R_16BF));
  if (precision_ == Precision::e4m3) matmul->set_scales(scales_.get(), scales_.get() + 64);
  return matmul;
}

void LinearBench::run(const Matmul& matmul, const Candidate& candidate, const GemmShape& shape,
                      std::int64_t workspace_bytes, int iteration, cudaStream_t stream) const {
  const std::int64_t bytes = shape.n * shape.k * element_bytes(precision_);
  const std::int64_t copies = std::max<std::int64_t>(1, static_cast<std::int64_t>(arena_.bytes()) / bytes);
  const std::uint8_t* weights = arena_.get() + (iteration % copies) * bytes;
  const std::uint8_t* input = variant_ == 0 ? input_.get() : neighbours_.get();
  matmul.run(candidate, weights, input, output_.get(), workspace_.get(), workspace_bytes, stream);
}

double LinearBench::element(const GemmShape& shape, std::int64_t row, std::int64_t column) const {
  const float scale = weight_scale;
  double sum = 0;
  for (std::int64_t i = 0; i < shape.k; ++i) {
    sum += filled_value(precision_, input_seed, 1.0f, row * shape.k + i) *
           filled_value(precision_, weight_seed, scale, column * shape.k + i);
  }
  return sum;
}

void LinearBench::verify(const Matmul& matmul, const Candidate& candidate, std::int64_t m, const GemmShape& shape,
                         std::int64_t workspace_bytes) const {
  const std::size_t count = static_cast<std::size_t>(m * shape.n);
  BRINK_CUDA_CHECK(cudaMemsetAsync(output_.get(), 0xFF, count * 2, stream_));
  run(matmul, candidate, shape, workspace_bytes, 0, stream_);
  BRINK_CUDA_CHECK(cudaStreamSynchronize(stream_));
  // The corners, where partial tiles are, and elements spread over the inside.
  std::vector<std::int64_t> at = {0, shape.n - 1, (m - 1) * shape.n, m * shape.n - 1};
  for (std::uint64_t i = 0; i < 8; ++i) at.push_back(static_cast<std::int64_t>(mix64(i) % count));
  std::vector<float> got;
  std::vector<double> want;
  for (const std::int64_t i : at) {
    std::uint16_t bits = 0;
    BRINK_CUDA_CHECK(cudaMemcpy(&bits, output_.get() + i, 2, cudaMemcpyDeviceToHost));
    got.push_back(bf16_to_float(bits));
    want.push_back(element(shape, i / shape.n, i % shape.n));
  }
  // bf16: rounding the output is 2^-9, partial sums kept in bf16 a few times that. e4m3: Hopper's tensor cores add
  // with some 14 bits, up to 2 % of a sum over k = 4096 (DeepSeek-V3 report, section 3.3.2).
  const double tolerance = precision_ == Precision::bf16 ? 1e-2 : 3e-2;
  require_close(std::string("gemm ") + precision_name(precision_), got.data(), want.data(), got.size(), tolerance);
}

}  // namespace brink::kernels
