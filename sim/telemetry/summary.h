// summary.json: the keys of vLLM `bench serve`, then Brink's own.
#pragma once

#include "models/base/json.h"
#include "sim/telemetry/collector.h"
#include "sim/telemetry/request_stats.h"
#include "sim/telemetry/step_stats.h"

namespace brink::telemetry {

[[nodiscard]] Json make_summary(const RunFacts& facts, const RequestStats& requests, const StepStats& steps,
                                Seconds end);

}  // namespace brink::telemetry
