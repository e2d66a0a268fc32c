// The process that simulates one run for the server and tells it everything as frames.
#pragma once

#include <string>

namespace brink::app {

/// Simulates what `payload` (of an 'R' frame) asks for and writes frames to `fd`: 'P' and 'F' as
/// they come, then one 'D' or 'E'. Throws nothing. Returns the process's exit status.
int run_child(const std::string& payload, int fd) noexcept;

}  // namespace brink::app
