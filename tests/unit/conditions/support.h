// A ledger that remembers, and conditions as tests make them.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/conditions/gpu_spread.h"
#include "sim/conditions/rank_slowdown.h"
#include "sim/conditions/stall.h"
#include "sim/conditions/step_conditions.h"
#include "sim/conditions/throttle.h"

namespace brink::conditions::test {

class KeptLedger final : public world::ILedger {
 public:
  struct Event : world::LedgerEvent {
    Seconds until{0.0}, total{0.0};
    std::int64_t count = 0;
  };

  world::CauseId add(const world::LedgerEvent& event) override {
    events.push_back({event, event.at, event.delay, 0});
    return static_cast<world::CauseId>(events.size());
  }
  void extend(world::CauseId event, Seconds until, Seconds delay, double, std::int64_t count) override {
    Event& e = events.at(event - 1);
    e.until = until;
    e.total += delay;
    e.count += count;
  }

  std::vector<Event> events;
};

inline StepConditions::RankPart slow(std::int32_t index, std::int64_t rank, double factor, Schedule schedule = {}) {
  return {index, std::make_shared<RankSlowdown>(RankSlowdownSettings{{Target::all, rank}, schedule, factor})};
}

inline StepConditions::RankPart stall(std::int32_t index, std::int64_t rank, Seconds extra, Schedule schedule = {}) {
  return {index, std::make_shared<Stall>(StallSettings{{Target::all, rank}, schedule, extra})};
}

inline StepConditions::JitterPart jitter(std::int32_t index, const Lateness& lateness, const std::string& name = "jitter", Schedule schedule = {}) {
  return {index, {{}, schedule, lateness}, RandomStream(7, name)};
}

/// A step of 12 ms of compute and 2 ms of communication in 160 collectives.
inline serving::StepQuery query(std::uint64_t step, double launch_s, std::int64_t ranks = 8) {
  serving::StepQuery out;
  out.replica = ReplicaId{0};
  out.step = step;
  out.launch = Seconds(launch_s);
  out.compute = milliseconds(12.0);
  out.comm = milliseconds(2.0);
  out.collectives = 160;
  out.ranks = ranks;
  return out;
}

}  // namespace brink::conditions::test
