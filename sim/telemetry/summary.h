// summary.json: the keys of vLLM `bench serve`, then Brink's own.
#pragma once

#include "models/base/json.h"
#include "sim/telemetry/request_stats.h"
#include "sim/telemetry/run_facts.h"
#include "sim/telemetry/step_stats.h"

namespace brink::telemetry {

/// `sections` (an object) come after Brink's figures and before the provenance.
[[nodiscard]] Json make_summary(const RunFacts& facts, const RequestStats& requests, const StepStats& steps,
                                Seconds end, Json sections);

}  // namespace brink::telemetry
