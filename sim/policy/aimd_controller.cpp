#include "sim/policy/aimd_controller.h"

#include <algorithm>

namespace brink::policy {

namespace {

/// The middle one, the upper of two; reorders the values.
Seconds median(std::vector<Seconds>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::int64_t scaled(double factor, std::int64_t value) {
  return static_cast<std::int64_t>(factor * static_cast<double>(value));
}

}  // namespace

AimdController::AimdController(const AimdSettings& settings) : settings_(settings), target_(settings.target) {
  if (!target_ && settings_.calm_step) target_ = *settings_.calm_step * settings_.target_ratio;
  times_.reserve(static_cast<std::size_t>(std::max(settings_.interval_steps, target_ ? 0 : settings_.calm_steps)));
}

void AimdController::on_step(const ControlView& view, ControlLimits& limits) {
  // A step that only prefills keeps no answer waiting for its next token.
  if (view.decode_sequences == 0) return;
  if (!target_) return learn(view.step_time);
  times_.push_back(view.step_time);
  most_running_ = std::max(most_running_, view.running);
  most_tokens_ = std::max(most_tokens_, view.decode_sequences + view.prefill_tokens);
  if (static_cast<std::int64_t>(times_.size()) < settings_.interval_steps) return;
  decide(view, limits);
  times_.clear();
  most_running_ = most_tokens_ = 0;
}

void AimdController::learn(Seconds step_time) {
  if (skipped_ < settings_.calm_skip_steps) {
    ++skipped_;
    return;
  }
  times_.push_back(step_time);
  if (static_cast<std::int64_t>(times_.size()) < settings_.calm_steps) return;
  target_ = median(times_) * settings_.target_ratio;
  times_.clear();
}

// The median of the interval, not its mean: a prefill that shares a few of its steps is no reason to cut.
void AimdController::decide(const ControlView& view, ControlLimits& limits) {
  const Seconds step = median(times_);
  if (step > *target_) {
    cut(view, limits);
  } else if (step <= *target_ * (1.0 - settings_.hysteresis)) {
    raise(view, limits);
  }
}

// A limit that is not reached holds nothing back, so the cut starts from what was used (as TCP validates its
// window before halving it; RFC 7661). While more run than an earlier cut allows, that cut is still
// working: cutting again would punish the delay of the answers that have to end first (one decrease a
// round trip, in TCP's words).
void AimdController::cut(const ControlView& view, ControlLimits& limits) const {
  if (settings_.limit_seats && view.running <= limits.seats) {
    const std::int64_t used = std::min(limits.seats, most_running_);
    const std::int64_t smallest = std::min({settings_.min_seats, limits.seats, view.max_num_seqs});
    limits.seats = std::max(scaled(settings_.decrease_factor, used), smallest);
  }
  if (settings_.limit_tokens) {
    const std::int64_t used = std::min(limits.token_budget, most_tokens_);
    const std::int64_t smallest = std::min({settings_.min_tokens, limits.token_budget, view.max_num_batched_tokens});
    limits.token_budget = std::max(scaled(settings_.decrease_factor, used), smallest);
  }
}

void AimdController::raise(const ControlView& view, ControlLimits& limits) const {
  limits.seats = std::min(limits.seats + settings_.increase_seats, view.max_num_seqs);
  limits.token_budget = std::min(limits.token_budget + settings_.increase_tokens, view.max_num_batched_tokens);
}

namespace {

const Range ms_range = Range{0.0, 1e6, true, "ms"};

void read_target(ObjectReader& in, AimdSettings& s) {
  const bool ratio = in.has("target_ratio");
  if (in.has("target_ms")) {
    for (const char* key : {"target_ratio", "calm_ms", "calm_skip_steps", "calm_steps"}) {
      if (in.has(key)) {
        throw in.error(key, std::string(key) + " beside target_ms",
                       "allowed: target_ms alone, or a target_ratio of the calm step");
      }
    }
    s.target = milliseconds(in.number("target_ms", ms_range));
    return;
  }
  if (ratio) s.target_ratio = in.number("target_ratio", Range{1.0, 1000.0, true, "times the calm median step"});
  if (in.has("calm_ms")) {
    for (const char* key : {"calm_skip_steps", "calm_steps"}) {
      if (in.has(key)) throw in.error(key, std::string(key) + " beside calm_ms", "allowed: calm_ms, or steps to learn it from");
    }
    s.calm_step = milliseconds(in.number("calm_ms", ms_range));
    return;
  }
  s.calm_skip_steps = in.integer_or("calm_skip_steps", s.calm_skip_steps, Range{0.0, 1e9, false, "steps"});
  s.calm_steps = in.integer_or("calm_steps", s.calm_steps, Range{1.0, 1e6, false, "steps"});
}

Json target_json(const std::optional<Seconds>& value) { return value ? Json(to_ms(*value)) : Json(); }

void write(const AimdSettings& s, const std::string& limit, Json& out) {
  out.set("target_ms", target_json(s.target));
  if (!s.target) {
    out.set("target_ratio", s.target_ratio);
    out.set("calm_ms", target_json(s.calm_step));
    if (!s.calm_step) {
      out.set("calm_skip_steps", s.calm_skip_steps);
      out.set("calm_steps", s.calm_steps);
    }
  }
  out.set("interval_steps", s.interval_steps);
  out.set("decrease_factor", s.decrease_factor);
  out.set("hysteresis", s.hysteresis);
  out.set("limit", limit);
  out.set("increase_seats", s.increase_seats);
  out.set("min_seats", s.min_seats);
  out.set("increase_tokens", s.increase_tokens);
  out.set("min_tokens", s.min_tokens);
}

}  // namespace

ControllerMaker read_aimd_controller(ObjectReader& in, Json& resolved) {
  AimdSettings s;
  read_target(in, s);
  s.interval_steps = in.integer_or("interval_steps", s.interval_steps, Range{1.0, 1e6, false, "steps"});
  s.decrease_factor = in.number_or("decrease_factor", s.decrease_factor, Range{0.01, 0.99, false, {}});
  s.hysteresis = in.number_or("hysteresis", s.hysteresis, Range{0.0, 0.9, false, "share of the target"});
  const std::string limit = in.choice_or("limit", {"seats", "tokens", "both"}, "seats");
  s.limit_seats = limit != "tokens";
  s.limit_tokens = limit != "seats";
  s.increase_seats = in.integer_or("increase_seats", s.increase_seats, Range{1.0, 1e6, false, "sequences"});
  s.min_seats = in.integer_or("min_seats", s.min_seats, Range{1.0, 1e6, false, "sequences"});
  s.increase_tokens = in.integer_or("increase_tokens", s.increase_tokens, Range{1.0, 1e9, false, "tokens"});
  s.min_tokens = in.integer_or("min_tokens", s.min_tokens, Range{1.0, 1e9, false, "tokens"});
  write(s, limit, resolved);
  return [s] { return std::make_unique<AimdController>(s); };
}

}  // namespace brink::policy
