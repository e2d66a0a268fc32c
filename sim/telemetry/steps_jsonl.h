// steps.jsonl: one JSON object a step, a line each.
#pragma once

#include <string>

#include "sim/serving/records.h"

namespace brink::telemetry {

void append_step_line(std::string& out, const serving::StepRecord& record);

}  // namespace brink::telemetry
