// Role: what goes wrong around a replica's steps. The replica asks once a step; answers are keyed by
// (replica, step), never by call order.
#pragma once

#include <cstdint>
#include <span>

#include "models/base/ids.h"
#include "models/base/units.h"
#include "sim/world/i_ledger.h"

namespace brink::serving {

/// A step as its batch alone would make it.
struct StepQuery {
  ReplicaId replica;
  std::uint64_t step = 0;
  Seconds launch;                // when the GPU can begin it
  Seconds compute, comm;         // of one rank, all ranks on time
  std::int64_t collectives = 0;  // synchronising ones in the step
  std::int64_t ranks = 1;
  Seconds clock_bound{-1.0};     // of compute, what follows the SM clock rather than memory; < 0: not known, all of it
};

/// What its surroundings add. All ranks wait for the slowest at every collective.
struct StepEffect {
  Seconds sync{0.0};             // added to the step: what the slowest rank of each collective is late
  Seconds host{0.0};             // added to host work before the step
  std::int64_t slowest_rank = -1;  // the rank that delayed most; -1: none did
  std::span<const Seconds> wait; // by rank, time spent waiting in collectives; valid until the next call
  world::CauseId cause = 0;      // root event of the largest part of sync
  std::int32_t condition = -1;   // its index in /conditions
};

class IStepConditions {
 public:
  virtual ~IStepConditions() = default;
  virtual StepEffect on_step(const StepQuery& query) = 0;
};

}  // namespace brink::serving
