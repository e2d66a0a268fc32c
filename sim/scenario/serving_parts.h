// The parts of one serving engine as the scenario describes them; a run and an inspection
// build them alike.
#pragma once

#include <memory>
#include <vector>

#include "models/cost/i_step_cost.h"
#include "models/cost/step_constants.h"
#include "models/fabric/placement.h"
#include "models/plan/planner.h"
#include "sim/scenario/scenario.h"
#include "sim/serving/engine_config.h"
#include "sim/serving/front_end.h"

namespace brink::scenario {

/// Throws ConfigError at /engine/name or /engine/version when the profile has no such host.
[[nodiscard]] cost::HostCost engine_host_cost(const Scenario& scenario);
[[nodiscard]] serving::FrontEnd front_end(const cost::HostCost& host);
[[nodiscard]] serving::EngineConfig engine_config(const Scenario& scenario, const cost::HostCost& host);
/// The scenario owns the profile behind it and must outlive it. In confidential mode host work is longer.
[[nodiscard]] std::unique_ptr<cost::IStepCost> step_cost(const Scenario& scenario, const cost::HostCost& host,
                                                         std::shared_ptr<plan::Planner> planner);
/// GPUs of every replica, by replica and rank.
[[nodiscard]] std::vector<std::vector<fabric::GpuPlace>> placement(const Scenario& scenario);

}  // namespace brink::scenario
