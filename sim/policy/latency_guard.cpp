#include "sim/policy/latency_guard.h"

#include <algorithm>

namespace brink::policy {

bool LatencyGuard::exceeds(const ShapingLoad& load, double share) const {
  const LatencyGuardSettings& s = settings_;
  const double waiting = static_cast<double>(load.waiting) / static_cast<double>(std::max<std::int64_t>(load.replicas, 1));
  return (s.queue_p95 && load.queue_p95 > *s.queue_p95 * share) ||
         (s.step_time && load.step_time > *s.step_time * share) ||
         (s.waiting_per_replica && waiting > *s.waiting_per_replica * share);
}

ShapedRequest LatencyGuard::shape(const RawRequest& request, const ShapingLoad& load) {
  engaged_ = exceeds(load, engaged_ ? settings_.release_ratio : 1.0);
  ShapedRequest out = unshaped(request);
  if (!engaged_) return out;
  if (settings_.input_tokens_max && request.input_tokens > *settings_.input_tokens_max) {
    out.truncated = true;
    out.input_tokens = *settings_.input_tokens_max;
    out.kept_prefix = settings_.keep == Keep::last    ? 0
                      : settings_.keep == Keep::first ? out.input_tokens
                                                      : settings_.head_tokens;
    out.reason = "latency_guard";
  }
  if (settings_.output_tokens_max) {
    out.output_tokens_max = settings_.output_tokens_max;
    out.reason = "latency_guard";
  }
  return out;
}

namespace {

void read_thresholds(ObjectReader& in, LatencyGuardSettings& s) {
  const Range ms = Range{0.0, 1e9, true, "ms"};
  if (in.has("queue_p95_ms")) s.queue_p95 = milliseconds(in.number("queue_p95_ms", ms));
  if (in.has("step_ms")) s.step_time = milliseconds(in.number("step_ms", ms));
  if (in.has("waiting_per_replica")) {
    s.waiting_per_replica = in.number("waiting_per_replica", Range{0.0, 1e9, true, "requests"});
  }
  // 50 ms of queue are what the regimes call degraded.
  if (!s.queue_p95 && !s.step_time && !s.waiting_per_replica) s.queue_p95 = milliseconds(50);
  s.release_ratio = in.number_or("release_ratio", s.release_ratio, Range{0.0, 1.0, false, "share of the thresholds"});
}

void read_caps(ObjectReader& in, LatencyGuardSettings& s, std::string& keep) {
  const Range tokens = Range{1.0, 1e9, false, "tokens"};
  if (in.has("input_tokens_max")) s.input_tokens_max = in.integer("input_tokens_max", tokens);
  if (in.has("output_tokens_max")) s.output_tokens_max = in.integer("output_tokens_max", tokens);
  if (!s.input_tokens_max && !s.output_tokens_max) {
    throw in.error("input_tokens_max", "neither input_tokens_max nor output_tokens_max", "required: at least one of the two");
  }
  keep = in.choice_or("keep", {"last", "first", "ends"}, "last");
  if (in.has("keep") && !s.input_tokens_max) {
    throw in.error("keep", "keep without input_tokens_max", "allowed: keep only where the input is cut");
  }
  s.keep = keep == "last" ? Keep::last : keep == "first" ? Keep::first : Keep::ends;
  if (s.keep != Keep::ends) {
    if (in.has("head_tokens")) throw in.error("head_tokens", "head_tokens with keep '" + keep + "'", "allowed: only with keep 'ends'");
    return;
  }
  s.head_tokens = in.integer("head_tokens", tokens);
  if (s.head_tokens >= *s.input_tokens_max) {
    throw in.error("head_tokens", Json(s.head_tokens).describe(),
                   "allowed: less than input_tokens_max (" + std::to_string(*s.input_tokens_max) + ")");
  }
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

}  // namespace

ShaperMaker read_latency_guard(ObjectReader& in, Json& resolved) {
  LatencyGuardSettings s;
  std::string keep;
  read_thresholds(in, s);
  read_caps(in, s, keep);
  resolved.set("queue_p95_ms", s.queue_p95 ? Json(to_ms(*s.queue_p95)) : Json());
  resolved.set("step_ms", s.step_time ? Json(to_ms(*s.step_time)) : Json());
  resolved.set("waiting_per_replica", or_null(s.waiting_per_replica));
  resolved.set("release_ratio", s.release_ratio);
  resolved.set("input_tokens_max", or_null(s.input_tokens_max));
  resolved.set("output_tokens_max", or_null(s.output_tokens_max));
  if (s.input_tokens_max) resolved.set("keep", keep);
  if (s.keep == Keep::ends) resolved.set("head_tokens", s.head_tokens);
  return [s] { return std::make_unique<LatencyGuard>(s); };
}

}  // namespace brink::policy
