#include "sim/serving/regime_tracker.h"

#include <algorithm>
#include <limits>

namespace brink::serving {

using memory::Regime;

const char* name(RegimeReason reason) {
  constexpr std::array<const char*, 6> names = {"isolation", "pins", "load", "paging", "queue", "relief"};
  return names.at(static_cast<std::size_t>(reason));
}

RegimeTracker::RegimeTracker(const Settings& settings)
    : settings_(settings), queue_(settings.thresholds.queue_window) {
  state_ = memory::classify(inputs(0), settings_.thresholds);
  // Who follows changes takes a replica for normal until told otherwise.
  if (state_.bits != 0) changes_.push_back({now_, state_});
}

void RegimeTracker::on_scheduled(Seconds queue_time, Seconds now) {
  advance(now);
  queue_.add(queue_time, now);
  stale_ = true;
}

void RegimeTracker::on_paging(Seconds now, world::CauseId cause) {
  advance(now);
  paged_ = true;
  last_paging_ = now;
  paging_cause_ = cause;
  stale_ = true;
}

memory::RegimeState RegimeTracker::classify(Seconds now, const RegimeSample& sample) {
  advance(now);
  sample_ = sample;
  sampled_ = true;
  evaluate();
  return state_;
}

Seconds RegimeTracker::queue_p95() const { return queue_.empty() ? sample_.oldest_wait : queue_.value(); }

std::span<const RegimeTransition> RegimeTracker::take_transitions() {
  taken_.swap(transitions_);
  transitions_.clear();
  return taken_;
}

std::span<const memory::RegimeChange> RegimeTracker::take_changes() {
  taken_changes_.swap(changes_);
  changes_.clear();
  return taken_changes_;
}

// Steps through the instants at which a window passed, so that the state does not depend on how often it is asked.
void RegimeTracker::advance(Seconds now) {
  if (now <= now_) return;
  if (stale_) evaluate();
  const Seconds never(std::numeric_limits<double>::infinity());
  while (true) {
    const Seconds paging_ends = paged_ ? last_paging_ + settings_.thresholds.paging_window : never;
    const Seconds queue_ends = queue_.empty() ? never : queue_.counts_until();
    const Seconds next = std::min(paging_ends, queue_ends);
    if (next >= now) break;
    spend(next);
    queue_.drop(next);
    if (paging_ends <= next) paged_ = false;
    evaluate();
  }
  spend(now);
}

void RegimeTracker::spend(Seconds until) {
  const Seconds time = until - now_;
  now_ = until;
  by_label_[static_cast<std::size_t>(state_.label)] += time;
  for (std::size_t i = 0; i < memory::regime_count; ++i) {
    const auto regime = static_cast<Regime>(i);
    if (regime == Regime::normal ? state_.bits == 0 : state_.holds(regime)) by_bit_[i] += time;
  }
}

void RegimeTracker::evaluate() {
  stale_ = false;
  const std::int64_t pinned = settings_.count_live_pins ? sample_.pinned : sample_.held;
  const memory::RegimeState before = state_;
  state_ = memory::classify(inputs(pinned), settings_.thresholds);
  if (state_.bits != before.bits) changes_.push_back({now_, state_});
  if (state_.label != before.label) transitions_.push_back(explain(before.label, state_.label));
}

memory::RegimeInputs RegimeTracker::inputs(std::int64_t pinned) const {
  memory::RegimeInputs in;
  in.isolation_strict = settings_.isolation_strict;
  in.paging = paged_;
  in.queue_p95 = queue_p95();
  if (!sampled_ || sample_.total <= 0) {
    in.effective_free = Bytes(std::numeric_limits<double>::infinity());
    return in;
  }
  // Held blocks are missing from `free` already and part of `pinned`: no block is subtracted twice.
  const auto free = static_cast<double>(sample_.free + sample_.held - pinned);
  in.effective_free_ratio = free / static_cast<double>(sample_.total);
  in.effective_free = sample_.block * free;
  return in;
}

RegimeTransition RegimeTracker::explain(Regime from, Regime to) const {
  RegimeTransition out{now_, from, to, RegimeReason::relief, 0};
  if (to > from) return out;
  if (to == Regime::isolation_strict) {
    out.reason = RegimeReason::isolation;
  } else if (to == Regime::paging) {
    out.reason = RegimeReason::paging;
    out.cause = paging_cause_;
  } else if (to == Regime::queue_degraded) {
    out.reason = RegimeReason::queue;
  } else if (memory::classify(inputs(0), settings_.thresholds).holds(to)) {
    out.reason = RegimeReason::load;
  } else {
    out.reason = RegimeReason::pins;
    out.cause = sample_.pin_cause;
  }
  return out;
}

}  // namespace brink::serving
