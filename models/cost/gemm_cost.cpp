#include "models/cost/gemm_cost.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "models/cost/roofline.h"
#include "models/cost/significant.h"

namespace brink::cost {
namespace {

// Output tiles of Hopper's tensor-core kernels (warp-group MMA has 64 rows; CUTLASS default tile shapes)
// and the split-K counts the library's heuristic chooses from.
constexpr std::array<Tile, 8> kTiles{{{64, 64}, {64, 128}, {64, 256}, {128, 64}, {128, 128}, {128, 256}, {256, 64}, {256, 128}}};
constexpr std::array<double, 6> kSplits{1, 2, 3, 4, 6, 8};
constexpr double kDepth = 64.0;        // elements of k one pipeline stage takes
constexpr double kPartialBytes = 4.0;  // split-K partial sums are FP32
constexpr double kOutputBytes = 2.0;

double fourth_root_sum(double a, double b) { return std::sqrt(std::sqrt(a * a * a * a + b * b * b * b)); }

}  // namespace

GemmLaw GemmLaw::of_type(GemmType type, const GpuFacts& gpu) {
  GemmLaw law;
  const FlopsPerSecond peak = type == GemmType::bf16 ? gpu.peak_bf16 : gpu.peak_fp8;
  law.operand_bytes = type == GemmType::bf16 ? 2.0 : 1.0;
  law.mma_per_cycle = peak.value() / (2.0 * static_cast<double>(gpu.sm_count) * gpu.clock.value());
  return law;
}

Seconds GemmLaw::time(double m, double n, double k, const GpuFacts& gpu) const {
  const double slots = static_cast<double>(gpu.sm_count);
  double tiled = std::numeric_limits<double>::infinity();
  for (const Tile& tile : kTiles) {
    const double rows = static_cast<double>(tile.rows), columns = static_cast<double>(tile.columns);
    // One tile and one step of k: MMA issue against operand loads from L2 (the DeepGEMM sm90 model's two terms).
    const double cycles = fourth_root_sum(rows * columns / (mma_per_cycle * mma_efficiency),
                                          (rows + columns) * operand_bytes / operand_bytes_per_cycle);
    const double per_k = cycles / gpu.clock.value();
    const double tiles = std::ceil(m / rows) * std::ceil(n / columns);
    for (const double split : kSplits) {
      const double depth = std::ceil(k / split / kDepth) * kDepth;
      const double load = tiles * split / slots;
      const double balanced = std::max(load, 1.0);
      const double waves = balanced * std::pow(std::ceil(load) / balanced, wave_quantisation);
      double t = waves * (per_k * depth + wave_fixed.value());
      if (split > 1.0) t += reduction_fixed.value() + 2.0 * split * m * n * kPartialBytes / reduction_rate.value();
      tiled = std::min(tiled, t);
      if (load >= 2.0) break;  // already full: a further split only adds work
    }
  }
  const double traffic = operand_bytes * (m * k + n * k) + kOutputBytes * m * n;
  const double streamed = traffic / hbm_rate.value();
  const double joined = std::pow(std::pow(tiled, overlap_power) + std::pow(streamed, overlap_power), 1.0 / overlap_power);
  return launch + Seconds(joined);
}

std::array<double, GemmLaw::parameter_count> GemmLaw::parameters() const {
  return {mma_efficiency, operand_bytes_per_cycle, wave_fixed.value(), reduction_fixed.value(), reduction_rate.value(),
          hbm_rate.value(), launch.value(), overlap_power, wave_quantisation};
}

void GemmLaw::set_parameters(const std::array<double, parameter_count>& v) {
  mma_efficiency = v[0];
  operand_bytes_per_cycle = v[1];
  wave_fixed = Seconds(v[2]);
  reduction_fixed = Seconds(v[3]);
  reduction_rate = BytesPerSecond(v[4]);
  hbm_rate = BytesPerSecond(v[5]);
  launch = Seconds(v[6]);
  overlap_power = v[7];
  wave_quantisation = v[8];
}

GemmCost::GemmCost(GemmLaw law, std::vector<std::int64_t> m_grid, EfficiencySurface surface, GpuFacts gpu)
    : law_(law), m_grid_(std::move(m_grid)), surface_(std::move(surface)), gpu_(std::move(gpu)) {
  if (m_grid_.empty() || m_grid_.size() != surface_.outputs() || surface_.axes().size() != 2 ||
      !std::is_sorted(m_grid_.begin(), m_grid_.end(), std::less_equal<>()) || m_grid_.front() < 1)
    throw std::invalid_argument("GEMM cost: the m grid must increase strictly and match the outputs of a surface over (n, k)");
}

Estimate GemmCost::estimate(std::int64_t m, std::int64_t n, std::int64_t k) const {
  if (m < 1 || n < 1 || k < 1) throw std::invalid_argument("GEMM: m, n and k are at least 1");
  const double md = static_cast<double>(m), nd = static_cast<double>(n), kd = static_cast<double>(k);
  const auto above = std::lower_bound(m_grid_.begin(), m_grid_.end(), m);
  const std::size_t last = m_grid_.size() - 1;
  const std::size_t hi = above == m_grid_.end() ? last : static_cast<std::size_t>(above - m_grid_.begin());
  const bool on_grid = m_grid_[hi] == m;
  const std::size_t lo = on_grid || above == m_grid_.end() || hi == 0 ? hi : hi - 1;
  double share = 0.0;
  if (lo != hi) {
    const double low = static_cast<double>(m_grid_[lo]);
    share = std::log(md / low) / std::log(static_cast<double>(m_grid_[hi]) / low);
  }
  const std::vector<double> at{nd, kd};
  const Seconds predicted = law_.time(md, nd, kd, gpu_) * std::exp(surface_.blend(at, lo, hi, share));
  // No kernel beats the data sheet; weights may sit in L2, so traffic is bounded by L2, not HBM.
  const FlopsPerSecond peak = law_.operand_bytes > 1.5 ? gpu_.peak_bf16 : gpu_.peak_fp8;
  const Bytes traffic(law_.operand_bytes * (md * kd + nd * kd) + 2.0 * md * nd);
  const Seconds bound = roofline(Flops(2.0 * md * nd * kd), traffic, peak, gpu_.l2_bandwidth);
  const bool in_range = surface_.inside(at) && m >= m_grid_.front() && m <= m_grid_.back();
  const Badge badge = !in_range                           ? Badge::extrapolated
                      : on_grid && surface_.has_point(at) ? Badge::measured
                                                          : Badge::interpolated;
  return {std::max(predicted, bound), badge};
}

GemmCost GemmCost::from_json(ObjectReader reader, GemmType type, const GpuFacts& gpu) {
  GemmLaw law = GemmLaw::of_type(type, gpu);
  ObjectReader fields = reader.object("law");
  const auto us = [&](const char* key) { return fields.number(key, Range::at_least(0.0, "us")) * 1e-6; };
  law.set_parameters({fields.number("mma_efficiency", Range::positive()), fields.number("operand_bytes_per_cycle", Range::positive()),
                      us("wave_fixed_us"),
                      us("reduction_fixed_us"),
                      fields.number("reduction_bytes_per_s", Range::positive("B/s")), fields.number("hbm_bytes_per_s", Range::positive("B/s")),
                      us("launch_us"), fields.number("overlap_power", Range::at_least(0.5)),
                      fields.number("wave_quantisation", Range::between(0.0, 1.0))});
  fields.finish();
  std::vector<std::int64_t> grid;
  reader.each("m", [&](const Json& item, const std::string& pointer) {
    grid.push_back(checked_integer(item, pointer, Range::at_least(grid.empty() ? 1.0 : static_cast<double>(grid.back() + 1))));
  });
  EfficiencySurface surface = EfficiencySurface::from_json(reader.object("surface"));
  if (grid.empty() || surface.outputs() != grid.size() || surface.axes().size() != 2)
    throw reader.error("surface", "a surface of another shape", "axes n and k, and one output for every m");
  reader.finish();
  return GemmCost(law, std::move(grid), std::move(surface), gpu);
}

GemmCost GemmCost::as_type(GemmType type) const {
  GemmLaw law = GemmLaw::of_type(type, gpu_);
  law.set_parameters(law_.parameters());
  return GemmCost(law, m_grid_, surface_, gpu_);
}

Json GemmCost::to_json() const {
  Json json = Json::object();
  Json& law = json.set("law", Json::object());
  law.set("mma_efficiency", law_.mma_efficiency);
  law.set("operand_bytes_per_cycle", law_.operand_bytes_per_cycle);
  law.set("wave_fixed_us", round_significant(to_us(law_.wave_fixed)));
  law.set("reduction_fixed_us", round_significant(to_us(law_.reduction_fixed)));
  law.set("reduction_bytes_per_s", law_.reduction_rate.value());
  law.set("hbm_bytes_per_s", law_.hbm_rate.value());
  law.set("launch_us", round_significant(to_us(law_.launch)));
  law.set("overlap_power", law_.overlap_power);
  law.set("wave_quantisation", law_.wave_quantisation);
  json.set("m", Json::array_of(m_grid_));
  json.set("surface", surface_.to_json());
  return json;
}

}  // namespace brink::cost
