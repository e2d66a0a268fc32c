#include "calibrate/microkernel/step_groups.h"

#include <algorithm>
#include <map>
#include <string>

#include <Eigen/Dense>
#include <fmt/format.h>

#include "calibrate/microkernel/curve.h"

namespace brink::calibrate {
namespace {

constexpr std::int64_t kSmallTokens = 16;  // a norm of so few rows moves next to nothing

std::optional<double> median_of(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

std::optional<Seconds> seconds_of(const std::vector<double>& values) {
  const auto median = median_of(values);
  return median ? std::optional(Seconds(*median)) : std::nullopt;
}

struct Line {
  double fixed = 0.0, slope = 0.0;
};

/// fixed + slope x, both at least zero, with the least sum of squared relative errors.
Line fit_line(const Curve& points) {
  Eigen::MatrixXd a(static_cast<Eigen::Index>(points.size()), 2);
  Eigen::VectorXd ones = Eigen::VectorXd::Ones(a.rows());
  for (Eigen::Index i = 0; i < a.rows(); ++i) {
    const CurvePoint& point = points[static_cast<std::size_t>(i)];
    a(i, 0) = 1.0 / point.y;
    a(i, 1) = point.x / point.y;
  }
  const Eigen::VectorXd v = a.colPivHouseholderQr().solve(ones);
  if (v[0] >= 0.0 && v[1] >= 0.0) return {v[0], v[1]};
  // One of the two is at its bound: the other alone.
  const Eigen::Index free = v[0] < 0.0 ? 1 : 0;
  const double only = std::max(a.col(free).dot(ones) / a.col(free).squaredNorm(), 0.0);
  return free == 0 ? Line{only, 0.0} : Line{0.0, only};
}

void fit_replay(cost::LaunchCosts& costs, const Curve& replay, std::vector<ValidationRow>& comparisons) {
  if (replay.size() < 3) return;
  const Line line = fit_line(replay);
  costs.graph_launch = Seconds(line.fixed);
  if (!costs.graph_node) costs.graph_node = Seconds(line.slope);
  compare_curve("graph_replay", "latency_us", 1e-6, sorted(replay), [](const Curve& part) -> Predictor {
    const Line fitted = fit_line(part);
    return [fitted](double x) { return fitted.fixed + fitted.slope * x; };
  }, comparisons);
}

/// Numbers of an array that may hold nulls (a reading that failed), the later half.
std::vector<double> later_half(ObjectReader& metrics, std::string_view key) {
  std::vector<double> values;
  std::size_t count = 0;
  metrics.each(key, [&](const Json&, const std::string&) { ++count; });
  std::size_t at = 0;
  metrics.each(key, [&](const Json& item, const std::string& pointer) {
    if (at++ >= count / 2 && !item.is_null()) values.push_back(checked_number(item, pointer));
  });
  return values;
}

cost::SustainedLoad read_sustained(ObjectReader& params, ObjectReader& metrics) {
  cost::SustainedLoad load;
  load.load = params.string("load");
  load.clock = Hertz(median_of(later_half(metrics, "clock_mhz")).value_or(0.0) * 1e6);
  load.power = Watts(median_of(later_half(metrics, "power_w")).value_or(0.0));
  const bool rated = metrics.has("sustained_rate_per_s") && metrics.number("sustained_rate_per_s") > 0.0;
  if (!rated) return load;
  const double rate = metrics.number("sustained_rate_per_s", Range::positive()), burst = metrics.number("burst_rate_per_s", Range::positive());
  if (metrics.choice("work_unit", {"flop", "byte"}) == "flop") {
    load.flops = FlopsPerSecond(rate);
    load.burst_flops = FlopsPerSecond(burst);
  } else {
    load.bytes = BytesPerSecond(rate);
    load.burst_bytes = BytesPerSecond(burst);
  }
  return load;
}

}  // namespace

cost::LaunchCosts fit_launch(const MicrokernelResults& results, std::vector<ValidationRow>& comparisons) {
  std::map<std::string, std::vector<double>> by_op;
  Curve replay, host;
  results.each("launch", [&](const ResultPoint& point, ObjectReader& params, ObjectReader&) {
    if (!point.timed) return;
    const std::string op = params.string("op");
    const double seconds = point.median.value();
    if (op == "graph_launch_and_wait") replay.push_back({params.number("nodes", Range::at_least(1)), seconds});
    else if (op == "graph_launch_host") host.push_back({params.number("nodes", Range::at_least(1)), seconds});
    else by_op[op].push_back(seconds);
  });
  cost::LaunchCosts costs;
  costs.host_launch = seconds_of(by_op["launch_host"]);
  costs.kernel_gap = seconds_of(by_op["stream_device"]);
  costs.graph_node = seconds_of(by_op["graph_node_device"]);
  if (host.size() >= 2) costs.graph_host = Seconds(fit_line(host).fixed);
  fit_replay(costs, replay, comparisons);
  return costs;
}

cost::Contention read_contention(const MicrokernelResults& results) {
  cost::Contention contention;
  results.each("overlap", [&](const ResultPoint&, ObjectReader& params, ObjectReader& metrics) {
    const std::string op = params.choice("op", {"decode_beside_copy", "sustained"});
    if (op == "sustained") {
      const cost::SustainedLoad load = read_sustained(params, metrics);
      if (load.clock.value() > 0.0) contention.sustained.push_back(load);
      return;
    }
    // A side that ended before the other was not beside it all the time: it says too little.
    if (!metrics.boolean_or("step_covered", true) || !metrics.boolean_or("copy_covered", true)) return;
    contention.copies.push_back({params.choice("copy", {"d2h", "h2d", "both"}), Bytes(params.number("block_bytes", Range::positive("B"))),
                                 metrics.number("step_slowdown", Range::between(0.9, 20.0)), metrics.number("copy_slowdown", Range::between(0.9, 20.0)),
                                 BytesPerSecond(metrics.number("copy_alone_gb_per_s", Range::positive("GB/s")) * 1e9)});
  });
  return contention;
}

std::optional<cost::ElementwiseCost> fit_elementwise(const MicrokernelResults& results, const cost::GpuFacts& gpu) {
  std::vector<double> small;
  results.each("norm", [&](const ResultPoint& point, ObjectReader& params, ObjectReader&) {
    if (point.timed && params.integer("tokens", Range::at_least(1)) <= kSmallTokens) small.push_back(point.median.value());
  });
  const auto floor = seconds_of(small);
  if (!floor) return std::nullopt;
  return cost::ElementwiseCost{gpu.hbm_copy, *floor};
}

}  // namespace brink::calibrate
