#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/decode_step/trace.h"

namespace brink::kernels {

/// What the decode_step group runs, from the environment:
///   BRINK_STEP_MODEL   a name of the built-in table (default llama-3.1-8b)
///   BRINK_STEP_RATES   requests per second of the synthetic traces, comma-separated (default 4,16)
///   BRINK_STEP_SEED    of the synthetic traces (default 1)
///   BRINK_STEP_TRACE   path of a CSV arrival_s,input_tokens,output_tokens, replayed as well
struct StepSettings {
  std::string model = "llama-3.1-8b";
  std::vector<double> rates_per_s = {4, 16};
  std::uint64_t seed = 1;
  std::string trace_path;
};

/// `get(name)` gives a variable's value, or an empty string. Throws std::invalid_argument naming the variable.
StepSettings step_settings(const std::function<std::string(const char*)>& get);

}  // namespace brink::kernels
