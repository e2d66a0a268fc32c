// What decides execution plans, as the scenario describes it.
#pragma once

#include <cstdint>
#include <memory>

#include "models/plan/planner.h"
#include "sim/scenario/scenario.h"
#include "sim/serving/i_reference_plan.h"
#include "sim/serving/surroundings.h"

namespace brink::scenario {

/// The planner of replica `replica`; replicas differ only where the engine autotunes. `names` outlives it.
[[nodiscard]] std::shared_ptr<plan::Planner> make_planner(const Scenario& scenario, plan::TacticNames& names,
                                                          std::uint64_t replica = 0);

/// Scratch memory of an engine that looks at what is free; null for engines that set it aside.
[[nodiscard]] std::unique_ptr<serving::IWorkspace> make_workspace(const Scenario& scenario, std::uint64_t replica);

/// Scratch memory of the idle engine.
[[nodiscard]] Bytes idle_workspace(const Scenario& scenario);

/// What a request runs alone on a replica with this planner.
[[nodiscard]] std::shared_ptr<const serving::IReferencePlan> reference_plan(const Scenario& scenario,
                                                                            std::shared_ptr<plan::Planner> planner);

}  // namespace brink::scenario
