// Where a result comes from: program, libraries, inputs. No clock, host name or folder, so that
// equal runs give equal bytes.
#pragma once

#include <string>

#include "models/base/json.h"
#include "sim/scenario/scenario.h"

namespace brink::scenario {

/// "0.1.0".
[[nodiscard]] std::string program_version();
/// `git describe` of the source that was built, or "unknown" outside a repository.
[[nodiscard]] std::string program_revision();

[[nodiscard]] Json provenance(const Scenario& scenario);

}  // namespace brink::scenario
