#include "calibrate/collective_fit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "calibrate/nelder_mead.h"
#include "models/base/error.h"
#include "models/cost/significant.h"

namespace brink::calibrate {
namespace {

using cost::CollectiveCost;
using cost::CollectiveCurve;
using cost::EfficiencySurface;

constexpr double kOctaves = 2.0;  // sizes are measured in octaves: two neighbours on each side matter
constexpr double kNugget = 0.1;
constexpr double kSpike = 1.5;    // a row this far above both neighbours, which agree ...
constexpr double kAgree = 1.25;   // ... within this factor, is a stall of the measurement

using Key = std::tuple<int, int, std::int64_t>;  // backend, operation, GPUs

std::map<Key, std::vector<CollectiveRow>> by_curve(const std::vector<CollectiveRow>& rows) {
  std::map<Key, std::vector<CollectiveRow>> curves;
  for (const CollectiveRow& row : rows) curves[{static_cast<int>(row.backend), static_cast<int>(row.op), row.gpus}].push_back(row);
  for (auto& entry : curves)
    std::sort(entry.second.begin(), entry.second.end(), [](const auto& a, const auto& b) { return a.message < b.message; });
  return curves;
}

std::vector<CollectiveRow> without_spikes(const std::vector<CollectiveRow>& rows) {
  std::vector<CollectiveRow> kept;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0 && i + 1 < rows.size()) {
      const double low = std::min(rows[i - 1].time, rows[i + 1].time).value(), high = std::max(rows[i - 1].time, rows[i + 1].time).value();
      if (high < kAgree * low && rows[i].time.value() > kSpike * high) continue;
    }
    kept.push_back(rows[i]);
  }
  return kept;
}

CollectiveCurve fit_curve(const std::vector<CollectiveRow>& measured) {
  const std::vector<CollectiveRow> rows = without_spikes(measured);
  if (rows.size() < 3) throw Error("collective table: a curve needs at least three message sizes");
  CollectiveCurve curve;
  curve.gpus = rows.front().gpus;
  const auto with = [&](const std::vector<double>& x) {
    CollectiveCurve trial;
    trial.gpus = curve.gpus;
    trial.latency = Seconds(x[0]);
    trial.rate = BytesPerSecond(x[1]);
    trial.overlap_power = x[2];
    return trial;
  };
  const auto loss = [&](const std::vector<double>& x) {
    const CollectiveCurve trial = with(x);
    double sum = 0.0;
    for (const CollectiveRow& row : rows) sum += std::pow(std::log(trial.law(row.message) / row.time), 2.0);
    return sum;
  };
  const CollectiveRow& last = rows.back();
  std::vector<double> best = minimise_positive(loss, {rows.front().time.value(), last.message.value() / last.time.value(), 1.35}, 0.2, 400);
  for (double& value : best) value = cost::round_significant(value);
  best[2] = std::max(best[2], 0.5);
  curve = with(best);
  std::vector<std::vector<std::int64_t>> at;
  std::vector<std::vector<double>> residuals;
  for (const CollectiveRow& row : rows) {
    at.push_back({static_cast<std::int64_t>(row.message.value())});
    residuals.push_back({std::log(row.time / curve.law(row.message))});
  }
  curve.surface = EfficiencySurface::fit({{"bytes", kOctaves}}, at, residuals, std::vector<double>(at.size(), 1.0), kNugget);
  return curve;
}

void compare(const CollectiveRow& row, Seconds predicted, bool held_out, std::vector<ValidationRow>& out) {
  out.push_back({fmt::format("{}_{}", cost::name(row.op), cost::name(row.backend)), fmt::format("gpus={} bytes={:.0f}", row.gpus, row.message.value()),
                 "latency_us", to_us(row.time), to_us(predicted), held_out});
}

}  // namespace

CollectiveCurve fit_collective_curve(const std::vector<CollectiveRow>& rows) { return fit_curve(rows); }

std::vector<CollectiveCost> fit_collectives(const std::vector<CollectiveRow>& rows) {
  std::map<std::pair<int, int>, std::vector<CollectiveCurve>> costs;
  for (const auto& [key, curve] : by_curve(rows)) costs[{std::get<0>(key), std::get<1>(key)}].push_back(fit_curve(curve));
  std::vector<CollectiveCost> out;
  for (auto& [key, curves] : costs)
    out.emplace_back(static_cast<cost::CollectiveBackend>(key.first), static_cast<cost::CollectiveOp>(key.second), std::move(curves));
  return out;
}

void validate_collectives(const std::vector<CollectiveRow>& rows, const std::vector<CollectiveCost>& fitted, std::vector<ValidationRow>& out) {
  for (const auto& entry : by_curve(rows)) {
    const std::vector<CollectiveRow>& curve = entry.second;
    for (const CollectiveRow& row : curve)
      for (const CollectiveCost& cost : fitted)
        if (cost.backend() == row.backend && cost.op() == row.op) compare(row, cost.estimate(row.gpus, row.message).time, false, out);
    for (std::size_t held = 0; held < curve.size(); ++held) {
      std::vector<CollectiveRow> training = curve;
      training.erase(training.begin() + static_cast<std::ptrdiff_t>(held));
      compare(curve[held], fit_curve(training).estimate(curve[held].message).time, true, out);
    }
  }
}

}  // namespace brink::calibrate
