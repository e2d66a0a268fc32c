#include "calibrate/gemm_fit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "calibrate/nelder_mead.h"
#include "models/base/error.h"
#include "models/base/units.h"
#include "models/cost/significant.h"

namespace brink::calibrate {
namespace {

using cost::EfficiencySurface;
using cost::GemmLaw;
using cost::GemmType;

constexpr std::int64_t kSurfaceMin = 128;  // smaller sizes are launch-bound and follow the law
constexpr std::int64_t kLayerMin = 1024;   // the law is fitted where transformer layers are
constexpr double kOctaves = 1.0;           // correlation length over n and k, chosen by hold-out
constexpr double kNugget = 0.2;            // tactic switches look like noise of this share of the variance

struct Shape {
  std::int64_t n, k;
  std::vector<double> seconds;  // one an m of the grid
};

struct Table {
  std::vector<std::int64_t> grid;
  std::vector<Shape> shapes;
};

bool is_layer(const Shape& shape) { return shape.n >= kLayerMin && shape.k >= kLayerMin; }

const char* type_name(GemmType type) {
  switch (type) {
    case GemmType::bf16: return "bf16";
    case GemmType::fp8: return "fp8";
    case GemmType::fp8_block: return "fp8_block";
  }
  return "";
}

Table tabulate(const std::vector<GemmRow>& rows, GemmType type) {
  std::map<std::pair<std::int64_t, std::int64_t>, std::map<std::int64_t, double>> shapes;
  std::set<std::int64_t> grid;
  for (const GemmRow& row : rows) {
    if (row.type != type || row.n < kSurfaceMin || row.k < kSurfaceMin) continue;
    shapes[{row.n, row.k}][row.m] = row.time.value();
    grid.insert(row.m);
  }
  Table table;
  table.grid.assign(grid.begin(), grid.end());
  for (const auto& [nk, by_m] : shapes) {
    if (by_m.size() != grid.size()) continue;  // a shape that failed at some m cannot enter a surface over all of them
    Shape shape{nk.first, nk.second, {}};
    for (const auto& entry : by_m) shape.seconds.push_back(entry.second);
    table.shapes.push_back(std::move(shape));
  }
  if (table.shapes.size() < 2 * kFolds) throw Error(fmt::format("GEMM table: {} complete shapes of type {}; at least {} are needed", table.shapes.size(), type_name(type), 2 * kFolds));
  return table;
}

/// Within what they mean: no rate above the data sheet.
std::array<double, GemmLaw::parameter_count> bounded(const std::vector<double>& x, const cost::GpuFacts& gpu) {
  GemmLaw law;
  std::array<double, GemmLaw::parameter_count> values{};
  std::copy(x.begin(), x.end(), values.begin());
  law.set_parameters(values);
  law.mma_efficiency = std::min(law.mma_efficiency, 1.0);
  law.hbm_rate = std::min(law.hbm_rate, gpu.hbm_peak);
  // Left free the share falls to nothing where the library finds a fitting tile; shapes without one do pay.
  law.wave_quantisation = std::clamp(law.wave_quantisation, 0.3, 1.0);
  return law.parameters();
}

/// Law parameters that minimise the mean |log(law / measured)| over layer-sized shapes.
GemmLaw fit_law(GemmLaw law, const Table& table, const std::vector<const Shape*>& shapes, const cost::GpuFacts& gpu, std::size_t evaluations) {
  const auto loss = [&](const std::vector<double>& x) {
    GemmLaw trial = law;
    trial.set_parameters(bounded(x, gpu));
    double sum = 0.0;
    for (const Shape* shape : shapes) {
      if (!is_layer(*shape)) continue;
      // Every other m is enough for nine global numbers and halves the time.
      for (std::size_t i = 0; i < table.grid.size(); i += 2)
        sum += std::abs(std::log(trial.time(static_cast<double>(table.grid[i]), static_cast<double>(shape->n), static_cast<double>(shape->k), gpu).value() / shape->seconds[i]));
    }
    return sum;
  };
  const auto start = law.parameters();
  std::vector<double> best = minimise_positive(loss, {start.begin(), start.end()}, 0.15, evaluations);
  for (double& value : best) value = cost::round_significant(value);
  law.set_parameters(bounded(best, gpu));
  return law;
}

cost::GemmCost build(const GemmLaw& law, const Table& table, const std::vector<const Shape*>& shapes, const cost::GpuFacts& gpu) {
  std::vector<std::vector<std::int64_t>> at;
  std::vector<std::vector<double>> residuals;
  for (const Shape* shape : shapes) {
    at.push_back({shape->n, shape->k});
    std::vector<double>& row = residuals.emplace_back();
    for (std::size_t i = 0; i < table.grid.size(); ++i)
      row.push_back(std::log(shape->seconds[i] / law.time(static_cast<double>(table.grid[i]), static_cast<double>(shape->n), static_cast<double>(shape->k), gpu).value()));
  }
  EfficiencySurface surface = EfficiencySurface::fit({{"n", kOctaves}, {"k", kOctaves}}, at, residuals, std::vector<double>(at.size(), 1.0), kNugget);
  return {law, table.grid, std::move(surface), gpu};
}

std::vector<const Shape*> pointers(const Table& table) {
  std::vector<const Shape*> shapes;
  for (const Shape& shape : table.shapes) shapes.push_back(&shape);
  return shapes;
}

void compare(const Table& table, const Shape& shape, GemmType type, const cost::GemmCost& fit, bool held_out, std::vector<ValidationRow>& out) {
  const std::string group = fmt::format("gemm_{}{}", type_name(type), is_layer(shape) ? "" : "_small");
  for (std::size_t i = 0; i < table.grid.size(); ++i)
    out.push_back({group, fmt::format("m={} n={} k={}", table.grid[i], shape.n, shape.k), "latency_us", shape.seconds[i] * 1e6,
                   to_us(fit.estimate(table.grid[i], shape.n, shape.k).time), held_out});
}

}  // namespace

cost::GemmCost fit_gemm(const std::vector<GemmRow>& rows, GemmType type, const cost::GpuFacts& gpu) {
  const Table table = tabulate(rows, type);
  const auto shapes = pointers(table);
  return build(fit_law(GemmLaw::of_type(type, gpu), table, shapes, gpu, 220), table, shapes, gpu);
}

void validate_gemm(const std::vector<GemmRow>& rows, GemmType type, const cost::GpuFacts& gpu, const cost::GemmCost& fitted,
                   std::vector<ValidationRow>& out) {
  const Table table = tabulate(rows, type);
  for (const Shape& shape : table.shapes) compare(table, shape, type, fitted, false, out);
  const std::vector<std::size_t> fold = assign_folds(table.shapes.size(), kFolds);
  for (std::size_t held = 0; held < kFolds; ++held) {
    std::vector<const Shape*> training;
    for (std::size_t i = 0; i < fold.size(); ++i)
      if (fold[i] != held) training.push_back(&table.shapes[i]);
    const cost::GemmCost refit = build(fit_law(GemmLaw::of_type(type, gpu), table, training, gpu, 120), table, training, gpu);
    for (std::size_t i = 0; i < fold.size(); ++i)
      if (fold[i] == held) compare(table, table.shapes[i], type, refit, true, out);
  }
}

}  // namespace brink::calibrate
