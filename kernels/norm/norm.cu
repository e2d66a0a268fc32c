#include "kernels/norm/norm.h"

#include <cuda_bf16.h>

#include <cstdio>

#include "kernels/norm/reference.h"
#include "kernels/runner/hash.h"
#include "kernels/runner/session.h"
#include "kernels/runner/verify.h"

namespace brink::kernels {
namespace {

constexpr std::uint64_t seed_x = 101;
constexpr std::uint64_t seed_w = 102;
constexpr float epsilon = 1e-6F;
constexpr int rows_hashed = 16;

struct alignas(16) Pack {
  __nv_bfloat16 value[8];
};

__device__ float block_sum(float sum) {
  __shared__ float partial[32];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(0xffffffffU, sum, step);
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  if (lane == 0) partial[warp] = sum;
  __syncthreads();
  const int warps = static_cast<int>(blockDim.x) / 32;
  sum = lane < warps ? partial[lane] : 0.0F;
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffU, sum, step);
  return sum;
}

/// One row a block, as engines do it; the number of threads sets the order of the sum.
__global__ void rms_norm(Pack* y, float* scales, const Pack* x, const Pack* w, int packs) {
  const Pack* row = x + static_cast<std::size_t>(blockIdx.x) * static_cast<std::size_t>(packs);
  float sum = 0;
  for (int i = static_cast<int>(threadIdx.x); i < packs; i += static_cast<int>(blockDim.x)) {
    const Pack p = row[i];
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      const float v = __bfloat162float(p.value[j]);
      sum += v * v;
    }
  }
  sum = block_sum(sum);
  const float scale = rsqrtf(sum / (8.0F * static_cast<float>(packs)) + epsilon);
  if (threadIdx.x == 0) scales[blockIdx.x] = scale;
  Pack* out = y + static_cast<std::size_t>(blockIdx.x) * static_cast<std::size_t>(packs);
  for (int i = static_cast<int>(threadIdx.x); i < packs; i += static_cast<int>(blockDim.x)) {
    const Pack p = row[i];
    const Pack weight = w[i];
    Pack q;
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      q.value[j] = __float2bfloat16_rn(__bfloat162float(p.value[j]) * scale * __bfloat162float(weight.value[j]));
    }
    out[i] = q;
  }
}

std::string hex(std::uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

struct Arrays {
  DeviceArray<std::uint16_t> x, w, y;
  DeviceArray<float> scales;
  Arrays(int tokens, int hidden)
      : x(static_cast<std::size_t>(tokens) * static_cast<std::size_t>(hidden)),
        w(static_cast<std::size_t>(hidden)),
        y(x.size()),
        scales(static_cast<std::size_t>(tokens)) {}
};

void verify_rows(Session& session, const Arrays& a, int tokens, int hidden) {
  const auto width = static_cast<std::size_t>(hidden);
  for (const int row : {0, tokens / 2, tokens - 1}) {
    const std::size_t first = static_cast<std::size_t>(row) * width;
    const std::vector<std::uint16_t> bits = a.y.to_host(session.stream(), first, width);
    std::vector<float> got(width);
    for (std::size_t i = 0; i < width; ++i) got[i] = bf16_to_float(bits[i]);
    const std::vector<double> want =
        rms_norm_reference(seed_x, first, seed_w, hidden, static_cast<double>(epsilon));
    // bfloat16 rounds by up to 2^-9 of a value, 0.11 % root mean square.
    require_close("row " + std::to_string(row), got.data(), want.data(), width, 0.003);
  }
}

void norm_point(Session& session, const Arrays& a, int hidden, int threads, int tokens) {
  const JsonObject params =
      JsonObject().set("hidden", hidden).set("block_threads", threads).set("tokens", tokens);
  session.point(params, [&](PointResult& r) {
    const auto launch = [&](cudaStream_t s, int) {
      rms_norm<<<static_cast<unsigned>(tokens), static_cast<unsigned>(threads), 0, s>>>(
          reinterpret_cast<Pack*>(a.y.get()), a.scales.get(), reinterpret_cast<const Pack*>(a.x.get()),
          reinterpret_cast<const Pack*>(a.w.get()), hidden / 8);
    };
    a.y.poison(session.stream());
    a.scales.poison(session.stream());
    launch(session.stream(), 0);
    BRINK_CUDA_CHECK(cudaGetLastError());
    verify_rows(session, a, tokens, hidden);
    r.verified = true;
    const std::size_t rows = static_cast<std::size_t>(tokens < rows_hashed ? tokens : rows_hashed);
    const std::size_t width = static_cast<std::size_t>(hidden);
    const std::vector<std::uint16_t> y = a.y.to_host(session.stream(), 0, rows * width);
    const std::vector<float> scales = a.scales.to_host(session.stream(), 0, rows);
    r.time(session.measure(MeasureOptions{}, launch));
    r.metrics.set("row0_hash", hex(hash_bytes(y.data(), width * 2)));
    r.metrics.set("row0_scale_hash", hex(hash_bytes(scales.data(), sizeof(float))));
    r.metrics.set("rows_hashed", static_cast<std::int64_t>(rows));
    r.metrics.set("rows_hash", hex(hash_bytes(y.data(), y.size() * 2)));
    r.metrics.set("scales_hash", hex(hash_bytes(scales.data(), rows * sizeof(float))));
    const double bytes = 4.0 * static_cast<double>(tokens) * hidden;  // read once, written once
    r.metrics.set("bytes", bytes).set("gb_per_s", bytes / r.timing.seconds.median_s * 1e-9);
  });
}

}  // namespace

void run_norm(Session& session) {
  constexpr int tokens_max = 8192;
  std::vector<long long> tokens_grid = {1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 255, 256, 257, 384, 512};
  for (long long tokens = 1024; tokens <= tokens_max; tokens *= 2) tokens_grid.push_back(tokens);
  for (const int hidden : {4096, 8192}) {
    const Arrays arrays(tokens_max, hidden);
    fill_bf16(arrays.x.get(), arrays.x.size(), seed_x, 1.0F, session.stream());
    fill_bf16(arrays.w.get(), arrays.w.size(), seed_w, 1.0F, session.stream());
    for (const int threads : {256, 1024}) {
      for (const long long tokens : tokens_grid) norm_point(session, arrays, hidden, threads, static_cast<int>(tokens));
    }
  }
}

}  // namespace brink::kernels
