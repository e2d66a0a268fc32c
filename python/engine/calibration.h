// The calibrate room as JSON text, which Python reads.
#pragma once

#include <string>

namespace brink::python {

/// The kernel part of a profile fitted to the tables in `data_dir`. Throws TraceError, ConfigError.
[[nodiscard]] std::string fit_kernels(const std::string& data_dir);

/// [{"group", "id", "metric", "measured", "predicted", "held_out"}, ...]. Throws the same.
[[nodiscard]] std::string cross_validate(const std::string& data_dir);

}  // namespace brink::python
