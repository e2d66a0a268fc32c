// The part of `inspect` that says what steps would run as, and what is to go wrong.
#pragma once

#include <string>

#include "models/base/json.h"
#include "models/plan/planner.h"
#include "sim/scenario/scenario.h"

namespace brink::app {

/// Adds to `facts`: hypotheses (names of those that are on), conditions (resolved), plans (tactics of decode steps by
/// batch) and attention_splits. On an idle replica; `names` are those of the planner.
void add_plan_facts(Json& facts, const scenario::Scenario& scenario, plan::Planner& planner, const plan::TacticNames& names);

/// The first line of a scenario whose hypotheses are on; nothing otherwise.
[[nodiscard]] std::string hypotheses_text(const Json& facts);
[[nodiscard]] std::string plans_text(const Json& facts);
[[nodiscard]] std::string conditions_text(const Json& facts);

}  // namespace brink::app
