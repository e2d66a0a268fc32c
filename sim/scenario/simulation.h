// Runs a scenario: everything is composed here, and nowhere else.
#pragma once

#include <cstdint>
#include <vector>

#include "models/base/json.h"
#include "models/base/units.h"
#include "sim/scenario/progress.h"
#include "sim/scenario/scenario.h"
#include "sim/telemetry/collector.h"

namespace brink::scenario {

struct RunOutcome {
  Json summary;
  std::vector<telemetry::ResultFile> files;
  Seconds end;                    // simulated
  std::uint64_t events = 0;       // handled by the world
  std::int64_t steps = 0;         // of all replicas, warm-up included
  Seconds wall;                   // what simulating took, set-up and writing apart; in no result file
};

/// Simulates the scenario to its end. Once a process: SimGrid allows one engine. `sink` may be
/// null. Throws TraceError for a bad row of a trace, ConfigError when the warm-up leaves nothing
/// to measure, and Error when the books do not balance at the end: every request in exactly one
/// terminal state, every replica idle with all its KV blocks back.
[[nodiscard]] RunOutcome run_scenario(const Scenario& scenario, const ProgressSink* sink = nullptr);

}  // namespace brink::scenario
