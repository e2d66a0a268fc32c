// The small sections of a scenario: policies, objectives, what to measure and to write.
#pragma once

#include <string>

#include "models/base/object_reader.h"
#include "sim/telemetry/collector.h"

namespace brink::scenario {

/// /routing/policy; the first known router when absent.
[[nodiscard]] std::string read_router(ObjectReader& in);
[[nodiscard]] telemetry::SloLimits read_slo(ObjectReader& in);
[[nodiscard]] telemetry::OutputOptions read_output(ObjectReader& in);
[[nodiscard]] const char* record_mode_name(telemetry::RecordMode mode);
[[nodiscard]] Seconds read_warmup(ObjectReader& in);

/// Sections whose names are known and whose features this version does not have: throws
/// ConfigError unless they are absent or say so.
void refuse_absent_sections(ObjectReader& in);

/// /name, or `fallback`: it also names the result folder, so it is a plain file name.
[[nodiscard]] std::string read_name(ObjectReader& in, const std::string& fallback);

}  // namespace brink::scenario
