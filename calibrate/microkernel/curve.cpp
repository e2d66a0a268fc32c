#include "calibrate/microkernel/curve.h"

#include <algorithm>

#include <fmt/format.h>

namespace brink::calibrate {

void compare_curve(const std::string& group, const std::string& metric, double unit, const Curve& points, const CurveFit& fit,
                   std::vector<ValidationRow>& out) {
  const auto add = [&](const CurvePoint& point, const Predictor& predict, bool held_out) {
    out.push_back({group, fmt::format("{:.6g}", point.x), metric, point.y / unit, predict(point.x) / unit, held_out});
  };
  const Predictor all = fit(points);
  for (const CurvePoint& point : points) add(point, all, false);
  if (points.size() < kHoldOutMin) return;
  const std::vector<std::size_t> fold = assign_folds(points.size(), kFolds);
  for (std::size_t held = 0; held < kFolds; ++held) {
    Curve training;
    for (std::size_t i = 0; i < points.size(); ++i)
      if (fold[i] != held) training.push_back(points[i]);
    const Predictor predict = fit(training);
    for (std::size_t i = 0; i < points.size(); ++i)
      if (fold[i] == held) add(points[i], predict, true);
  }
}

Curve sorted(Curve points) {
  std::stable_sort(points.begin(), points.end(), [](const CurvePoint& a, const CurvePoint& b) { return a.x < b.x; });
  return points;
}

cost::MeasuredRange range_of(const Curve& points) {
  const auto [low, high] = std::minmax_element(points.begin(), points.end(), [](const CurvePoint& a, const CurvePoint& b) { return a.x < b.x; });
  return {low->x, high->x};
}

}  // namespace brink::calibrate
