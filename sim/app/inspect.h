// `brink-sim inspect`: what a scenario describes, without running it.
#pragma once

#include <string>

#include "models/base/json.h"
#include "sim/scenario/scenario.h"

namespace brink::app {

/// Layout, memory, step times, collectives and fabric. Times are milliseconds, sizes GiB, as
/// the keys say.
[[nodiscard]] Json inspect(const scenario::Scenario& scenario);

/// The same as text for a terminal.
[[nodiscard]] std::string inspect_text(const Json& facts);

}  // namespace brink::app
