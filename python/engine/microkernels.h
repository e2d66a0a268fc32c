// Microkernel results and profile differences as JSON text, which Python reads.
#pragma once

#include <string>
#include <vector>

namespace brink::python {

/// {"profile": text of the profile file, "report": {...}, "text": the report for people}. `base`: a profile as
/// JSON text for what was not measured, "" for none. Throws Error, TraceError, ConfigError.
[[nodiscard]] std::string fit_microkernels(const std::string& results, const std::string& gpu, const std::string& base,
                                           const std::vector<std::string>& keep);

/// [{"group", "what", "before", "after", "change", "worst", "note"}, ...] of two profiles given as JSON text.
[[nodiscard]] std::string diff_profiles(const std::string& before, const std::string& after);

}  // namespace brink::python
