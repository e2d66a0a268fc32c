// The objects behind /conditions and /hypotheses that act on steps.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/scenario/condition.h"
#include "sim/scenario/read_hypotheses.h"
#include "sim/serving/i_step_conditions.h"
#include "sim/world/i_ledger.h"

namespace brink::scenario {

/// What slows ranks, for all replicas of a run; null when nothing does, so that a run without conditions pays nothing.
/// `ledger` outlives it.
[[nodiscard]] std::unique_ptr<serving::IStepConditions> make_step_conditions(const std::vector<Condition>& conditions,
                                                                             const Hypotheses& hypotheses, std::uint64_t seed,
                                                                             std::int64_t ranks, world::ILedger& ledger);

}  // namespace brink::scenario
