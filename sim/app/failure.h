// What went wrong, in the words of the run server's 'E' frames and of the command line.
#pragma once

#include <exception>
#include <string>

#include "models/base/json.h"

namespace brink::app {

/// {"kind", "message", "pointer", "got", "allowed", "file", "signal", "last_words"}; what does not
/// apply is null.
[[nodiscard]] Json failure(const std::string& kind, const std::string& message);

/// The same for an exception: kind "config", "trace" or "internal".
[[nodiscard]] Json failure_of(const std::exception& error);

/// Exit status of the command line: 2 for input that cannot be used, 3 for everything else.
[[nodiscard]] int exit_status_of(const std::exception& error);

}  // namespace brink::app
