// The calibrate room as JSON text, which Python reads.
#pragma once

#include <string>

namespace brink::python {

/// The kernel part of a profile fitted to the tables in `data_dir` for the GPU described at
/// `gpu`. `keep`: an earlier profile as JSON text, whose sections fitted on serving runs are
/// carried over; "" for none. Throws Error, TraceError, ConfigError.
[[nodiscard]] std::string fit_kernels(const std::string& data_dir, const std::string& gpu, const std::string& keep);

/// [{"group", "id", "metric", "measured", "predicted", "held_out"}, ...]. Throws the same.
[[nodiscard]] std::string cross_validate(const std::string& data_dir, const std::string& gpu);

/// The JSON object `document` with the members of the object `sections` set, in the layout the
/// project's own files have. Throws ConfigError.
[[nodiscard]] std::string with_sections(const std::string& document, const std::string& sections);

}  // namespace brink::python
