#include "calibrate/microkernel/memory_fit.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "calibrate/microkernel/least_squares.h"
#include "models/base/error.h"

namespace brink::calibrate {
namespace {

constexpr double kCliffMin = 0.05;     // a smaller rise is not worth a term in any model
constexpr double kCliffScatters = 3.0;

void need(const Curve& points, std::size_t count, const std::string& what) {
  if (points.size() < count) throw Error(fmt::format("{}: {} points; at least {} are needed", what, points.size(), count));
}

std::vector<double> log_ratios(const Curve& points, const Predictor& predict) {
  std::vector<double> r;
  for (const CurvePoint& point : points) r.push_back(std::log(predict(point.x) / point.y));
  return r;
}

double highest(const Curve& points) {
  return std::max_element(points.begin(), points.end(), [](const CurvePoint& a, const CurvePoint& b) { return a.y < b.y; })->y;
}
double lowest(const Curve& points) {
  return std::min_element(points.begin(), points.end(), [](const CurvePoint& a, const CurvePoint& b) { return a.y < b.y; })->y;
}

double middle(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

void fit_latencies(cost::CacheKnee& knee, const Curve& points) {
  need(points, 6, "L2 latency");
  const double low = lowest(points), high = highest(points);
  // near <= far <= memory by construction: the steps between them are what is fitted.
  const auto with = [&](const std::vector<double>& v) {
    cost::CacheKnee trial = knee;
    trial.near = Seconds(v[0]);
    trial.far = Seconds(v[0] + v[1]);
    trial.memory = Seconds(v[0] + v[1] + v[2]);
    trial.near_capacity = Bytes(v[3]);
    trial.capacity = Bytes(v[4]);
    return trial;
  };
  const double size = knee.capacity.value();
  const FitSolution fit = least_squares({{"near_s", low, 0.5 * low, high},
                                         {"far_step_s", 0.3 * low, 0.0, high},
                                         {"memory_step_s", std::max(high - 1.3 * low, 0.1 * low), 0.0, high},
                                         {"near_capacity_bytes", 0.5 * size, 0.05 * size, size},
                                         {"capacity_bytes", size, 0.7 * size, 1.4 * size}},
                                        [&](const std::vector<double>& v) {
                                          const cost::CacheKnee trial = with(v);
                                          return log_ratios(points, [&](double x) { return trial.latency_of(Bytes(x)).value(); });
                                        });
  const cost::CacheKnee fitted = with(fit.values);
  knee.near = fitted.near;
  knee.far = fitted.far;
  knee.memory = fitted.memory;
  knee.near_capacity = fitted.near_capacity;
}

}  // namespace

cost::TransferCurve fit_transfer(const std::string& name, const Curve& points, BytesPerSecond rate_max) {
  need(points, 4, name);
  cost::TransferCurve curve;
  curve.name = name;
  curve.bytes = range_of(points);
  const auto with = [&](const std::vector<double>& v) {
    cost::TransferCurve trial = curve;
    trial.latency = Seconds(v[0]);
    trial.rate = BytesPerSecond(v[1]);
    trial.overlap_power = v[2];
    return trial;
  };
  double fastest = 0.0;
  for (const CurvePoint& point : points) fastest = std::max(fastest, point.x / point.y);
  const double quickest = lowest(points);
  const FitSolution fit = least_squares({{"latency_s", quickest, 1e-3 * quickest, 1.5 * quickest},
                                         {"bytes_per_s", std::min(fastest, rate_max.value()), 0.2 * std::min(fastest, rate_max.value()), rate_max.value()},
                                         {"overlap_power", 1.3, 0.5, 6.0}},
                                        [&](const std::vector<double>& v) {
                                          const cost::TransferCurve trial = with(v);
                                          return log_ratios(points, [&](double x) { return trial.time(Bytes(x)).value(); });
                                        });
  return with(fit.values);
}

cost::GatherCurve fit_gather(const std::string& name, const Curve& points, BytesPerSecond rate_max) {
  need(points, 3, name);
  cost::GatherCurve curve;
  curve.name = name;
  curve.block_bytes = range_of(points);
  const auto with = [&](const std::vector<double>& v) {
    cost::GatherCurve trial = curve;
    trial.rate = BytesPerSecond(v[0]);
    trial.half_block = Bytes(v[1]);
    return trial;
  };
  const double best = std::min(highest(points), rate_max.value());
  const FitSolution fit = least_squares({{"bytes_per_s", best, 0.2 * best, rate_max.value()},
                                         {"half_block_bytes", curve.block_bytes.low, 1e-3, 1e3 * curve.block_bytes.high}},
                                        [&](const std::vector<double>& v) {
                                          const cost::GatherCurve trial = with(v);
                                          return log_ratios(points, [&](double x) { return trial.rate_of(Bytes(x)).value(); });
                                        });
  return with(fit.values);
}

cost::CacheKnee fit_knee(const Curve& rates, const Curve& latencies, Bytes size) {
  need(rates, 5, "L2 bandwidth");
  cost::CacheKnee knee;
  knee.working_set = range_of(rates);
  const auto with = [&](const std::vector<double>& v) {
    cost::CacheKnee trial = knee;
    trial.capacity = Bytes(v[0]);
    trial.sharpness = v[1];
    trial.cache_rate = BytesPerSecond(v[2]);
    trial.memory_rate = BytesPerSecond(v[3]);
    return trial;
  };
  const double high = highest(rates), low = lowest(rates), l2 = size.value();
  const FitSolution fit = least_squares({{"capacity_bytes", 0.8 * l2, 0.2 * l2, 1.2 * l2},
                                         {"sharpness", 6.0, 1.0, 64.0},
                                         {"bytes_per_s", high, 0.3 * high, 1.5 * high},
                                         {"memory_bytes_per_s", low, 0.5 * low, high}},
                                        [&](const std::vector<double>& v) {
                                          const cost::CacheKnee trial = with(v);
                                          return log_ratios(rates, [&](double x) { return trial.rate_of(Bytes(x)).value(); });
                                        });
  knee = with(fit.values);
  knee.near_capacity = knee.capacity * 0.5;
  if (latencies.size() >= 6) fit_latencies(knee, latencies);
  return knee;
}

cost::TranslationReach fit_reach(const Curve& latencies) {
  need(latencies, 4, "translation reach");
  const Curve points = sorted(latencies);
  cost::TranslationReach tlb;
  tlb.measured = range_of(points);
  std::vector<double> values;
  for (const CurvePoint& point : points) values.push_back(point.y);
  tlb.base = Seconds(middle(values));
  const double low = lowest(points), high = highest(points), first = points.front().x, last = points.back().x;
  if (high < (1.0 + kCliffMin) * low || last <= first) return tlb;
  const auto with = [&](const std::vector<double>& v) {
    cost::TranslationReach trial = tlb;
    trial.base = Seconds(v[0]);
    trial.penalty = Seconds(v[1]);
    trial.reach = Bytes(v[2]);
    return trial;
  };
  const auto seconds = [](const cost::TranslationReach& trial, double x) { return (trial.base + trial.penalty_at(Bytes(x))).value(); };
  const FitSolution fit = least_squares({{"base_s", low, 0.5 * low, high}, {"penalty_s", high - low, 1e-3 * low, 10.0 * high}, {"reach_bytes", std::sqrt(first * last), first, last}},
                                        [&](const std::vector<double>& v) {
                                          const cost::TranslationReach trial = with(v);
                                          return log_ratios(points, [&](double x) { return seconds(trial, x); });
                                        });
  const cost::TranslationReach cliff = with(fit.values);
  const double rise = cliff.penalty / cliff.base;
  return rise >= std::max(kCliffMin, kCliffScatters * fit.rms) && fit.at_bound.empty() ? cliff : tlb;
}

}  // namespace brink::calibrate
