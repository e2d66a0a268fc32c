#include "sim/policy/pang_controller.h"

#include <cmath>

#include "models/base/normal_quantile.h"

namespace brink::policy {

namespace {

// Ended requests after which older ones weigh half: lengths follow the traffic.
constexpr double history_requests = 1000.0;

}  // namespace

PangController::PangController(const PangSettings& settings)
    : settings_(settings), quantile_(normal_quantile(1.0 - settings.overflow)) {
  window_.reserve(static_cast<std::size_t>(settings.window_steps));
}

void PangController::on_step(const ControlView& view, ControlLimits& limits) {
  learn_lengths(view);
  if (view.decode_sequences == 0) return;  // no decode latency to learn from: the limit stays
  observe(view);
  const std::int64_t seats = std::min(seats_by_latency(view), seats_by_memory(view));
  // Never below those that run on: the method admits fewer, it stops nobody.
  limits.seats = std::clamp(std::max(seats, view.running), std::min(settings_.min_seats, view.max_num_seqs),
                            view.max_num_seqs);
  limits.token_budget = view.max_num_batched_tokens;
}

void PangController::observe(const ControlView& view) {
  const Observed now{view.step_time, view.decode_sequences};
  if (window_.size() < static_cast<std::size_t>(settings_.window_steps)) {
    window_.push_back(now);
  } else {
    batch_sum_ -= window_[next_].batch;
    time_sum_ -= window_[next_].time;
    window_[next_] = now;
  }
  batch_sum_ += now.batch;
  time_sum_ += now.time;
  next_ = (next_ + 1) % static_cast<std::size_t>(settings_.window_steps);
  if (next_ != 0) return;
  // Once a round the sum is taken anew, so that rounding does not pile up.
  time_sum_ = Seconds(0.0);
  for (const Observed& o : window_) time_sum_ += o.time;
}

// Algorithm 2 of the paper: a search interval follows the mean batch, and the limit is its middle.
std::int64_t PangController::seats_by_latency(const ControlView& view) {
  const std::int64_t smallest = std::min(settings_.min_seats, view.max_num_seqs), largest = view.max_num_seqs;
  if (high_ == 0) {
    low_ = smallest;
    high_ = largest;
  }
  const auto observed = static_cast<std::int64_t>(window_.size());
  const Seconds mean_time = time_sum_ / static_cast<double>(observed);
  const std::int64_t mean_batch = batch_sum_ / observed;
  if (mean_time > settings_.target + settings_.tolerance) {
    high_ = std::max(mean_batch, low_ + settings_.alpha);
    low_ = low_ - settings_.delta;
  } else if (mean_time < settings_.target - settings_.tolerance) {
    low_ = std::min(mean_batch, high_ - settings_.alpha);
    high_ = high_ + settings_.delta;
  } else {
    high_ = mean_batch + settings_.alpha / 2;
    low_ = mean_batch - settings_.alpha / 2;
  }
  high_ = std::clamp(high_, smallest, largest);
  low_ = std::clamp(low_, smallest, high_);
  return (low_ + high_) / 2;
}

void PangController::learn_lengths(const ControlView& view) {
  requests_ += static_cast<double>(view.finished);
  tokens_ += static_cast<double>(view.finished_tokens);
  tokens_squared_ += view.finished_tokens_squared;
  if (requests_ <= 2.0 * history_requests) return;
  requests_ *= 0.5;
  tokens_ *= 0.5;
  tokens_squared_ *= 0.5;
}

// Algorithm 1: b E[l] + theta sqrt(b Var[l]) = eta, the central limit theorem's bound on the tokens of b requests
// outgrowing the eta tokens of the KV cache with probability epsilon_M; a quadratic in sqrt(b).
std::int64_t PangController::seats_by_memory(const ControlView& view) const {
  if (!settings_.memory || requests_ < 1.0 || tokens_ <= 0.0) return view.max_num_seqs;
  const auto capacity = static_cast<double>(view.total_blocks * view.block_size);
  const double mean = tokens_ / requests_;
  double variance = tokens_squared_ / requests_ - mean * mean;
  if (variance < 1e-12 * mean * mean) variance = 0.0;  // equal lengths leave rounding, of either sign
  const double spread = quantile_ * std::sqrt(variance);
  const double root = (std::sqrt(spread * spread + 4.0 * mean * capacity) - spread) / (2.0 * mean);
  // Compared as doubles: a tiny mean would overflow an integer.
  const double seats = std::floor(root * root * (1.0 + 1e-12));
  return seats >= static_cast<double>(view.max_num_seqs) ? view.max_num_seqs : static_cast<std::int64_t>(seats);
}

ControllerMaker read_pang_controller(ObjectReader& in, Json& resolved) {
  PangSettings s;
  s.target = milliseconds(in.number_or("target_ms", to_ms(s.target), Range{0.0, 1e6, true, "ms"}));
  s.tolerance = milliseconds(in.number_or("epsilon_ms", to_ms(s.tolerance), Range{0.0, 1e6, false, "ms"}));
  if (s.tolerance >= s.target) {
    throw in.error("epsilon_ms", Json(to_ms(s.tolerance)).describe(),
                   "allowed: less than target_ms (" + Json(to_ms(s.target)).dump() + ")");
  }
  s.alpha = in.integer_or("alpha", s.alpha, Range{1.0, 1e6, false, "sequences"});
  s.delta = in.integer_or("delta", s.delta, Range{0.0, 1e6, false, "sequences"});
  s.min_seats = in.integer_or("min_seats", s.min_seats, Range{1.0, 1e6, false, "sequences"});
  s.window_steps = in.integer_or("window_steps", s.window_steps, Range{1.0, 1e5, false, "steps"});
  s.memory = in.boolean_or("memory", s.memory);
  s.overflow = in.number_or("overflow_probability", s.overflow, Range{1e-9, 0.5, false, {}});
  resolved.set("target_ms", to_ms(s.target));
  resolved.set("epsilon_ms", to_ms(s.tolerance));
  resolved.set("alpha", s.alpha);
  resolved.set("delta", s.delta);
  resolved.set("min_seats", s.min_seats);
  resolved.set("window_steps", s.window_steps);
  resolved.set("memory", s.memory);
  resolved.set("overflow_probability", s.overflow);
  return [s] { return std::make_unique<PangController>(s); };
}

}  // namespace brink::policy
