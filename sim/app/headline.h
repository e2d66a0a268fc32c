// The few lines of a finished run that are looked at first.
#pragma once

#include <string>

#include "sim/scenario/simulation.h"

namespace brink::app {

/// Latencies from the summary, and how fast the simulation went; `out` is where the results lie.
[[nodiscard]] std::string headline(const scenario::RunOutcome& outcome, const std::string& out);

}  // namespace brink::app
