#include "sim/scenario/read_node_conditions.h"

#include <cmath>

#include <fmt/format.h>

#include "models/base/normal_quantile.h"

namespace brink::scenario {

void read_slow_rank(ObjectReader& in, const ConditionContext& context, Condition& out) {
  read_target(in, context, true, out);
  const double factor = in.number("factor", Range{1.0, 1e3, false, "times the compute time"});
  out.resolved.set("factor", factor);
  read_schedule(in, true, out);
  out.settings = conditions::RankSlowdownSettings{out.target, out.schedule, factor};
}

void read_stall(ObjectReader& in, const ConditionContext& context, Condition& out) {
  read_target(in, context, true, out);
  const double extra = in.number("extra_ms", Range{0.0, 1e6, false, "ms a step"});
  out.resolved.set("extra_ms", extra);
  read_schedule(in, true, out);
  out.settings = conditions::StallSettings{out.target, out.schedule, milliseconds(extra)};
}

void read_jitter(ObjectReader& in, const ConditionContext& context, Condition& out) {
  read_target(in, context, false, out);
  const std::string pacing = in.choice_or("pacing", {"eager", "graph"}, context.eager ? "eager" : "graph");
  const conditions::Lateness body = pacing == "eager" ? conditions::eager_lateness() : conditions::graph_lateness();
  constexpr double z90 = 1.2815515655446004;  // normal_quantile(0.9)
  const double scale = in.number_or("scale", 1.0, Range{0.0, 1e3, true, "times the lateness"});
  const double median = in.number_or("median_us", to_us(body.median), Range{0.0, 1e9, true, "us"});
  const double p90 = in.number_or("p90_us", median * std::exp(body.sigma * z90), Range{0.0, 1e9, true, "us"});
  if (p90 <= median) {
    throw in.error("p90_us", fmt::format("{:g}", p90), fmt::format("allowed: a number > median_us ({:g} us)", median));
  }
  const double max = in.number_or("max_us", std::max(to_us(body.cap), 2.0 * p90), Range{0.0, 1e9, true, "us"});
  if (max <= p90) throw in.error("max_us", fmt::format("{:g}", max), fmt::format("allowed: a number > p90_us ({:g} us)", p90));
  out.resolved.set("pacing", pacing);
  out.resolved.set("scale", scale);
  out.resolved.set("median_us", median);
  out.resolved.set("p90_us", p90);
  out.resolved.set("max_us", max);
  read_schedule(in, true, out);
  const conditions::Lateness lateness{microseconds(median * scale), std::log(p90 / median) / z90, microseconds(max * scale)};
  out.settings = conditions::JitterSettings{out.target, out.schedule, lateness};
}

namespace {

/// The clock it settles at: given, or what a power cap leaves of it.
double read_clock(ObjectReader& in, const gpu::ClockLimits& limits, Json& resolved) {
  const bool capped = in.has("power_cap_w");
  if (capped == in.has("clock")) {
    throw in.error(capped ? "power_cap_w" : "clock", capped ? in.value("power_cap_w").describe() : "nothing",
                   "allowed: either clock (fraction of the highest) or power_cap_w");
  }
  if (!capped) {
    if (in.has("draw_w")) throw in.error("draw_w", in.value("draw_w").describe(), "allowed: only with power_cap_w");
    const double clock = in.number("clock", Range{0.0, 1.0, true, "fraction of the highest clock"});
    resolved.set("clock", clock);
    return clock;
  }
  const double cap = in.number("power_cap_w", Range{limits.idle.value(), 1e5, true, "W; an idle card draws more than that"});
  const double draw = in.number_or("draw_w", limits.limit.value(), Range{limits.idle.value(), 1e5, true, "W at the highest clock"});
  resolved.set("power_cap_w", cap);
  resolved.set("draw_w", draw);
  return gpu::clock_under_cap(limits, Watts(cap), Watts(draw));
}

}  // namespace

void read_throttle(ObjectReader& in, const ConditionContext& context, Condition& out) {
  read_target(in, context, true, out);
  conditions::ThrottleSettings settings;
  settings.limits = context.clocks;
  settings.clock = read_clock(in, context.clocks, out.resolved);
  settings.ramp = Seconds(in.number_or("ramp_s", 0.0, Range{0.0, 1e6, false, "s"}));
  out.resolved.set("ramp_s", settings.ramp.value());
  if (in.has("clock_bound_share")) {
    settings.clock_bound = in.number("clock_bound_share", Range::between(0.0, 1.0, "share of compute"));
  }
  out.resolved.set("clock_bound_share", settings.clock_bound < 0.0 ? Json() : Json(settings.clock_bound));
  read_schedule(in, false, out);
  settings.target = out.target;
  settings.schedule = out.schedule;
  out.settings = settings;
}

void read_gpu_spread(ObjectReader& in, const ConditionContext& context, Condition& out) {
  read_target(in, context, false, out);
  conditions::GpuSpreadSettings settings;
  settings.target = out.target;
  const double percent = in.number_or("deviation_percent", 100.0 * settings.deviation, Range{0.0, 100.0, false, "%"});
  settings.deviation = percent / 100.0;
  settings.outlier_share = in.number_or("outlier_share", settings.outlier_share, Range::between(0.0, 1.0, "of GPUs"));
  settings.outlier_factor = in.number_or("outlier_factor", settings.outlier_factor, Range{1.0, 1e3, false, "times the compute time"});
  out.resolved.set("deviation_percent", percent);
  out.resolved.set("outlier_share", settings.outlier_share);
  out.resolved.set("outlier_factor", settings.outlier_factor);
  out.settings = settings;
}

}  // namespace brink::scenario
