// A vLLM release number as scenarios write it.
#pragma once

#include <compare>
#include <string>

#include "models/base/error.h"

namespace brink::scenario {

struct EngineVersion {
  unsigned major = 0, minor = 0, patch = 0;
  auto operator<=>(const EngineVersion&) const = default;
};

/// "0.15" or "0.15.1". Throws ConfigError at `pointer` for anything else.
[[nodiscard]] EngineVersion parse_engine_version(const std::string& text, const std::string& pointer);

}  // namespace brink::scenario
