#include "sim/conditions/step_conditions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "sim/conditions/step_pacing.h"

namespace brink::conditions {

namespace {

// Leads of the ranks are tabulated for this many values of the clock-bound share of a step.
constexpr int bound_steps = 16;

}  // namespace

/// One replica and what acts on it at the moment.
struct StepConditions::Replica {
  struct Burst {
    Seconds since{std::numeric_limits<double>::quiet_NaN()};
    world::CauseId root = 0;
  };
  struct Acting {
    std::size_t part = 0;             // in parts_; the jitters follow them
    std::vector<RankLoad> loads;      // by rank; empty: pacing
  };

  Seconds from{0.0}, until{-1.0};     // the loads hold in [from, until)
  std::vector<Acting> acting;
  std::vector<RankSum> sums;          // by rank
  bool clocked = false;               // some clock is down
  const JitterPart* jitter = nullptr;
  std::size_t jitter_part = 0;
  std::array<std::unique_ptr<PacedRanks>, bound_steps + 1> paced;  // by clock-bound share
  std::vector<Burst> bursts;          // by part: the last one
};

/// Who added what to the step at hand.
struct StepConditions::Blame {
  Replica* state = nullptr;
  double sync = 0.0, pacing = 0.0;    // of it, by pacing
  double own_pacing = 0.0;            // lateness of an average rank, of the step
  std::int64_t rank = -1;
  std::size_t part = 0;               // of the largest share
  double share = 0.0;
  std::array<std::pair<std::size_t, double>, 16> shares;  // by part
  std::size_t count = 0;

  void add(std::size_t p, double seconds) {
    if (!(seconds > 0.0)) return;
    if (seconds > share) {
      share = seconds;
      part = p;
    }
    if (count < shares.size()) shares[count++] = {p, seconds};
  }
};

StepConditions::StepConditions(std::int64_t ranks, std::vector<RankPart> parts, std::vector<JitterPart> jitter,
                               const TimingHypotheses& hypotheses, world::ILedger& ledger)
    : ranks_(ranks), parts_(std::move(parts)), jitter_(std::move(jitter)), hypotheses_(hypotheses), ledger_(ledger) {}

StepConditions::~StepConditions() = default;

StepConditions::Replica& StepConditions::replica(const serving::StepQuery& query) {
  const auto i = static_cast<std::size_t>(query.replica.value);
  if (i >= replicas_.size()) replicas_.resize(i + 1);
  if (!replicas_[i]) {
    replicas_[i] = std::make_unique<Replica>();
    replicas_[i]->bursts.resize(parts_.size() + jitter_.size());
  }
  Replica& state = *replicas_[i];
  if (query.launch < state.from || query.launch >= state.until) refresh(state, query);
  return state;
}

void StepConditions::begin_burst(Replica& state, std::size_t i, const Phase& phase, const serving::StepQuery& query) {
  Replica::Burst& burst = state.bursts[i];
  if (burst.since == phase.since) return;
  burst.since = phase.since;
  const bool paces = i >= parts_.size();
  world::LedgerEvent event;
  event.at = query.launch;
  event.replica = query.replica;
  event.condition = paces ? jitter_[i - parts_.size()].condition : parts_[i].condition;
  if (!paces) event.rank = parts_[i].acts->rank();
  event.detail = paces ? std::string("host pacing of all ranks") : parts_[i].acts->describe();
  burst.root = ledger_.add(event);
  if (!paces && parts_[i].acts->kind() != world::EventKind::condition) {
    event.kind = parts_[i].acts->kind();
    event.cause = burst.root;
    event.condition = -1;
    (void)ledger_.add(event);
  }
}

// Only when the query leaves the interval in which the loads are constant.
void StepConditions::refresh(Replica& state, const serving::StepQuery& query) {
  const Seconds now = query.launch;
  state.from = now;
  state.until = Seconds(std::numeric_limits<double>::infinity());
  state.acting.clear();
  const JitterPart* const jitter_before = std::exchange(state.jitter, nullptr);
  std::vector<RankSum> sums(static_cast<std::size_t>(ranks_));
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const IRankCondition& acts = *parts_[i].acts;
    const Phase phase = acts.phase(query.replica, now);
    state.until = std::min(state.until, acts.steady_until(now, phase));
    if (!phase.acting) continue;
    begin_burst(state, i, phase, query);
    Replica::Acting& acting = state.acting.emplace_back(Replica::Acting{i, {}});
    for (std::int64_t r = 0; r < ranks_; ++r) {
      acting.loads.push_back(acts.load(query.replica, r, now));
      sums[static_cast<std::size_t>(r)].add(acting.loads.back());
    }
  }
  for (std::size_t i = 0; i < jitter_.size(); ++i) {
    if (!jitter_[i].settings.target.covers(query.replica)) continue;
    const Phase phase = jitter_[i].settings.schedule.at(now);
    state.until = std::min(state.until, phase.until);
    if (!phase.acting || state.jitter != nullptr) continue;
    begin_burst(state, parts_.size() + i, phase, query);
    state.jitter = &jitter_[i];
    state.jitter_part = parts_.size() + i;
    state.acting.push_back({state.jitter_part, {}});
  }
  state.clocked = std::any_of(sums.begin(), sums.end(), [](const RankSum& s) { return s.clock < 1.0; });
  const auto same_speed = [](const RankSum& a, const RankSum& b) {
    return a.factor == b.factor && a.clock == b.clock && a.clock_bound == b.clock_bound;
  };
  const bool kept = jitter_before == state.jitter && std::equal(sums.begin(), sums.end(), state.sums.begin(), state.sums.end(), same_speed);
  if (!kept) state.paced = {};
  state.sums = std::move(sums);
}

// Host pacing on top of the ranks' own delays.
void StepConditions::add_pacing(Replica& state, const serving::StepQuery& query, double bound, Blame& blame) {
  const double step = bound_steps * bound;
  auto& paced = state.paced[state.clocked ? static_cast<std::size_t>(std::lround(step)) : 0];
  const Lateness& lateness = state.jitter->settings.lateness;
  const auto n = static_cast<double>(query.collectives);
  if (!paced) {
    std::vector<double> lead;
    const double tabulated = state.clocked ? std::round(step) / bound_steps : bound;
    for (const RankSum& sum : state.sums) lead.push_back(sum.late_share(tabulated));
    const double slowest = *std::max_element(lead.begin(), lead.end());
    for (double& l : lead) l = (slowest - l) * spilled();
    paced = std::make_unique<PacedRanks>(lateness, std::move(lead));
  }
  const StepPacing pacing(lateness, state.jitter->stream, query.replica.value, query.step);
  const bool paused = delays_.pause_max > 0.0;
  const Seconds between = query.compute / n;
  double latest = pacing.sum_of_latest(*paced, between, paused ? 1 : 0, query.collectives);
  double sampled = n - (paused ? 1.0 : 0.0);
  blame.own_pacing = sampled > 0.0 ? latest / (sampled * paced->one(between).mean) * n * lateness.mean().value() : lateness.mean().value();
  if (paused) {
    late_first_.resize(delays_.late.size());
    for (std::size_t r = 0; r < late_first_.size(); ++r) late_first_[r] = delays_.pause[r] + delays_.late[r] / n;
    latest += pacing.first_latest(late_first_) - (delays_.pause_max + delays_.late_max / n);
  }
  blame.pacing = std::max(latest, 0.0);
  blame.sync += blame.pacing;
  blame.add(state.jitter_part, blame.pacing);
  if (blame.pacing > std::max(delays_.late_max, delays_.pause_max)) blame.rank = pacing.somebody(ranks_);
}

// The slowest rank's conditions share what it costs, the paused rank's what the pause costs.
void StepConditions::blame_ranks(const Replica& state, double bound, Blame& blame) const {
  const auto divide = [&](std::int64_t rank, double seconds, auto weight) {
    if (rank < 0) return;
    const auto r = static_cast<std::size_t>(rank);
    double sum = 0.0;
    for (const auto& acting : state.acting) {
      if (!acting.loads.empty()) sum += weight(acting.loads[r]);
    }
    for (const auto& acting : state.acting) {
      if (!acting.loads.empty()) blame.add(acting.part, seconds * weight(acting.loads[r]) / sum);
    }
  };
  divide(delays_.late_rank, delays_.late_max, [&](const RankLoad& load) {
    RankSum alone;
    alone.add(load);
    return alone.late_share(bound);
  });
  divide(delays_.pause_rank, delays_.pause_max, [](const RankLoad& load) { return load.pause.value(); });
  blame.rank = delays_.pause_max > delays_.late_max ? delays_.pause_rank : delays_.late_rank;
}

void StepConditions::resend(const serving::StepQuery& query, Blame& blame) const {
  if (!hypotheses_.retransmit || query.collectives == 0 || ranks_ < 2) return;
  const LateRankRetransmit& rule = *hypotheses_.retransmit;
  const auto n = static_cast<double>(query.collectives);
  // Spread delays are the same at every collective; a pause and the pacing's excess make one of them late.
  const double each = delays_.late_max / n;
  double late = each > rule.threshold.value() ? n : 0.0;
  if (late == 0.0 && delays_.pause_max + each > rule.threshold.value()) late = 1.0;
  if (blame.state->jitter != nullptr && late < n) {
    // Expected number of collectives whose latest rank is beyond the threshold.
    const Lateness& lateness = blame.state->jitter->settings.lateness;
    const double z = std::log(rule.threshold.value() / lateness.median.value()) / lateness.sigma;
    const double on_time = rule.threshold >= lateness.cap ? 1.0 : std::pow(0.5 * std::erfc(-z * std::sqrt(0.5)), static_cast<double>(ranks_));
    late += (n - late) * (1.0 - on_time);
  }
  const double extra = late * (query.comm.value() / n + rule.retry.value());
  blame.sync += extra;
  blame.share += extra;
  for (std::size_t i = 0; i < blame.count; ++i) {
    if (blame.shares[i].first == blame.part) {
      blame.shares[i].second += extra;
      break;
    }
  }
}

serving::StepEffect StepConditions::on_step(const serving::StepQuery& query) {
  serving::StepEffect effect;
  Replica& state = replica(query);
  if (state.acting.empty()) return effect;
  const double compute = query.compute.value();
  const double bound = query.clock_bound < Seconds(0.0) || compute <= 0.0 ? 1.0 : std::min(query.clock_bound.value() / compute, 1.0);
  delays_.set(state.sums, compute, bound, query.collectives, spilled());
  Blame blame;
  blame.state = &state;
  blame.sync = delays_.growth();
  blame_ranks(state, bound, blame);
  if (state.jitter != nullptr && ranks_ > 1 && query.collectives > 0) add_pacing(state, query, bound, blame);
  if (!(blame.sync > 0.0)) return effect;
  resend(query, blame);

  wait_.resize(static_cast<std::size_t>(ranks_));
  for (std::size_t r = 0; r < wait_.size(); ++r) {
    wait_[r] = Seconds(std::max(blame.sync - delays_.late[r] - delays_.pause[r] - blame.own_pacing, 0.0));
  }
  effect.sync = Seconds(blame.sync);
  effect.slowest_rank = blame.rank;
  effect.wait = wait_;
  effect.cause = state.bursts[blame.part].root;
  effect.condition = blame.part < parts_.size() ? parts_[blame.part].condition : state.jitter->condition;
  const Seconds end = query.launch + query.compute + query.comm + effect.sync;
  for (std::size_t i = 0; i < blame.count; ++i) {
    ledger_.extend(state.bursts[blame.shares[i].first].root, end, Seconds(blame.shares[i].second));
  }
  return effect;
}

}  // namespace brink::conditions
