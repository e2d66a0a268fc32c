// Points of a measured curve, and the hold-out that every fitted curve goes through.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "calibrate/validation.h"
#include "models/cost/memory_curves.h"

namespace brink::calibrate {

/// One measured value of a curve. Units are the curve's own (bytes and seconds, bytes and bytes per second).
struct CurvePoint {
  double x, y;
};
using Curve = std::vector<CurvePoint>;
using Predictor = std::function<double(double x)>;
using CurveFit = std::function<Predictor(const Curve& points)>;

/// Below this many points a curve is fitted but nothing is held out.
constexpr std::size_t kHoldOutMin = 6;

/// Comparisons of `fit(points)` with all points and, in five folds of 20 % each, of fits that have not seen
/// the point. `metric` names y ("latency_us", "gb_per_s"); `unit` is what y is divided by for it.
void compare_curve(const std::string& group, const std::string& metric, double unit, const Curve& points, const CurveFit& fit,
                   std::vector<ValidationRow>& out);

/// By x, ascending.
[[nodiscard]] Curve sorted(Curve points);
[[nodiscard]] cost::MeasuredRange range_of(const Curve& points);

}  // namespace brink::calibrate
