// The few lines of a finished run that are looked at first.
#pragma once

#include <string>

#include "models/base/json.h"

namespace brink::app {

/// From summary.json; `out` is where the results lie.
[[nodiscard]] std::string headline(const Json& summary, const std::string& out);

}  // namespace brink::app
