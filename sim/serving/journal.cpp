#include "sim/serving/journal.h"

#include <algorithm>
#include <utility>

namespace brink::serving {

using world::EventKind;
using world::LedgerEvent;

namespace {

/// Another tactic for some operator? Parts are unequal objects whenever the row counts differ; tactics may still agree.
bool same_tactics(const plan::PlanPart* a, const plan::PlanPart* b) {
  if (a == b) return true;
  if (a == nullptr || b == nullptr || a->choices.size() != b->choices.size()) return false;
  return std::equal(a->choices.begin(), a->choices.end(), b->choices.begin(),
                    [](const plan::Choice& x, const plan::Choice& y) { return x.tactic_id == y.tactic_id; });
}

bool same_tactics(const plan::ExecutionPlan& a, const plan::ExecutionPlan& b) {
  if (!same_tactics(a.tokens, b.tokens)) return false;
  // A step that samples or decodes nothing says nothing of those operators.
  if (a.sampled != nullptr && b.sampled != nullptr && !same_tactics(a.sampled, b.sampled)) return false;
  return !a.decodes || !b.decodes || a.attention.choice.tactic_id == b.attention.choice.tactic_id;
}

}  // namespace

Journal::Journal(const Settings& settings, world::ILedger& ledger)
    : settings_(settings), ledger_(ledger), regimes_(settings.regime),
      memory_(settings.regime.thresholds.queue_window), delays_(settings.conditions + 1),
      roots_(settings.conditions + 1, 0), waits_(settings.conditions + 1), held_at_(memory::regime_count, 0) {}

void Journal::on_scheduled(Sequence& s, std::uint64_t step) {
  if (settings_.regimes) regimes_.on_scheduled(s.record.scheduled - s.record.queued, s.record.scheduled);
  s.marks.gpu = gpu_clock_;
  s.marks.step = step;
  s.marks.plan_switches = plan_switches_;
}

void Journal::on_joined(Sequence& s, std::uint64_t step) const {
  s.marks = {gpu_clock_, step, plan_switches_, last_wait_ != nullptr ? delays_ : std::vector<Seconds>()};
}

// Of all replicas it ran on.
void Journal::on_departed(Sequence& s) const {
  RequestRecord& r = s.record;
  r.gpu += gpu_clock_ - s.marks.gpu;
  r.plan_switches += plan_switches_ - s.marks.plan_switches;
  r.regime = regime_.label;
  for (std::size_t i = 0; i < held_at_.size(); ++i) {
    if (held_at_[i] > s.marks.step) r.regime_bits = static_cast<std::uint8_t>(r.regime_bits | (1U << i));
  }
  for (std::size_t i = 0; i < delays_.size(); ++i) {
    const Seconds delay = s.marks.delays.empty() ? delays_[i] : delays_[i] - s.marks.delays[i];
    if (delay <= r.caused_delay) continue;
    r.caused_delay = delay;
    r.cause = roots_[i];
  }
  // What no condition explains is for what was offered, where that was too much while it waited or ran.
  if (r.cause == 0 && load_.event != 0 && load_.until >= r.queued) r.cause = load_.event;
}

world::CauseId Journal::grow(Open& open, const LedgerEvent& event) {
  if (open.event != 0 && open.root == event.cause && event.at - open.until <= memory_) {
    ledger_.extend(open.event, event.at, event.delay, event.amount);
  } else {
    open.root = event.cause;
    open.event = ledger_.add(event);
  }
  open.until = event.at;
  return open.event;
}

world::CauseId Journal::offered_load(Seconds now) {
  LedgerEvent event;
  event.kind = EventKind::offered_load;
  event.at = now;
  event.replica = settings_.replica;
  return grow(load_, event);
}

void Journal::on_shaped(const Sequence& s, Seconds now) {
  LedgerEvent event;
  event.kind = EventKind::shaping;
  event.at = now;
  event.replica = settings_.replica;
  event.cause = explain(now);
  event.amount = static_cast<double>(s.record.raw_input_tokens - s.record.input_tokens);
  event.detail = s.record.truncation;
  grow(shaped_, event);
}

// What went wrong last is taken to act on; else more arrived than is served.
world::CauseId Journal::explain(Seconds now) {
  if (last_wait_ != nullptr && recent(*last_wait_, now)) return last_wait_->event;
  return offered_load(now);
}

void Journal::on_preempted(Seconds now, world::CauseId pins) {
  LedgerEvent event;
  event.kind = EventKind::preemption;
  event.at = now;
  event.replica = settings_.replica;
  event.cause = pins != 0 ? pins : explain(now);
  event.amount = 1.0;
  grow(preemption_, event);
  if (settings_.regimes) regimes_.on_paging(now, preemption_.event);
}

void Journal::on_effect(const StepEffect& effect, Seconds at) {
  if (effect.cause == 0) return;
  const auto i = effect.condition < 0 ? delays_.size() - 1 : static_cast<std::size_t>(effect.condition);
  delays_[i] += effect.sync + effect.host;
  roots_[i] = effect.cause;
  LedgerEvent event;
  event.kind = EventKind::collective_wait;
  event.at = at;
  event.replica = settings_.replica;
  event.rank = effect.slowest_rank;
  event.cause = effect.cause;
  event.delay = effect.sync;
  grow(waits_[i], event);
  last_wait_ = &waits_[i];
}

void Journal::on_limits(std::int64_t before, std::int64_t seats, std::int64_t full, Seconds now) {
  if (seats == before) return;
  LedgerEvent event;
  event.at = now;
  event.replica = settings_.replica;
  event.amount = static_cast<double>(std::abs(seats - before));
  if (seats < before) {
    event.kind = EventKind::batch_cut;
    event.cause = explain(now);
    grow(cut_, event);
  } else if (seats == full && cut_.event != 0) {
    event.kind = EventKind::batch_recovery;
    event.cause = cut_.event;
    ledger_.add(event);
    cut_ = {};
  }
}

void Journal::describe(StepRecord& record, const RegimeSample& sample, Seconds gpu) {
  gpu_clock_ += gpu;
  ++steps_;
  if (record.plan != nullptr) note_switch(record);
  if (settings_.regimes) note_regime(record, sample);
}

void Journal::note_switch(StepRecord& record) {
  const plan::ExecutionPlan& now = *record.plan;
  record.plan_switch = last_plan_.tokens != nullptr && !same_tactics(now, last_plan_);
  if (record.plan_switch) ++plan_switches_;
  last_plan_ = now;
  LedgerEvent event;
  event.at = record.end;
  event.replica = settings_.replica;
  event.amount = 1.0;
  // Plans switch all the time as the batch breathes; what a cut batch makes of it is worth a line.
  if (record.plan_switch && recent(cut_, record.end)) {
    event.kind = EventKind::plan_switch;
    event.cause = cut_.event;
    grow(switches_, event);
  }
  if (now.tokens->fallbacks > 0) {
    event.kind = EventKind::fallback;
    event.cause = regime_event_ != 0 ? regime_event_ : explain(record.end);
    event.amount = static_cast<double>(now.tokens->fallbacks);
    grow(fallbacks_, event);
  }
}

void Journal::note_regime(StepRecord& record, const RegimeSample& sample) {
  regime_ = record.regime = regimes_.classify(record.end, sample);
  record.regime_changes = regimes_.take_changes();
  record.queue_p95 = regimes_.queue_p95();
  // A pressed replica with nothing else to blame is offered too much, for as long as it is pressed.
  const bool pressed = regime_.label != memory::Regime::normal && regime_.label != memory::Regime::isolation_strict;
  if (pressed && sample.pinned == 0) (void)explain(record.end);
  for (std::size_t i = 0; i < held_at_.size(); ++i) {
    if ((regime_.bits >> i & 1U) != 0) held_at_[i] = record.step + 1;
  }
  for (const RegimeTransition& change : regimes_.take_transitions()) {
    LedgerEvent event;
    event.kind = EventKind::regime_change;
    event.at = change.at;
    event.replica = settings_.replica;
    event.cause = cause_of(change);
    event.detail = std::string(memory::name(change.from)) + " -> " + memory::name(change.to);
    regime_event_ = ledger_.add(event);
  }
}

world::CauseId Journal::cause_of(const RegimeTransition& change) {
  if (change.cause != 0) return change.cause;
  if (change.reason == RegimeReason::relief && regime_event_ != 0) return regime_event_;
  if (change.reason == RegimeReason::queue && recent(cut_, change.at)) return cut_.event;
  if (change.reason == RegimeReason::isolation) return 0;
  return explain(change.at);
}

}  // namespace brink::serving
