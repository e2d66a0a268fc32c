#include "kernels/decode_step/step_settings.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "kernels/decode_step/llama_shape.h"

namespace brink::kernels {

namespace {

double number(const char* name, const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(value > 0) || value > 1e9) {
    throw std::invalid_argument(std::string(name) + ": \"" + text + "\" is not a positive number");
  }
  return value;
}

}  // namespace

StepSettings step_settings(const std::function<std::string(const char*)>& get) {
  StepSettings settings;
  if (const std::string model = get("BRINK_STEP_MODEL"); !model.empty()) settings.model = llama_shape(model).name;
  if (const std::string rates = get("BRINK_STEP_RATES"); !rates.empty()) {
    settings.rates_per_s.clear();
    for (std::size_t at = 0; at <= rates.size();) {
      const std::size_t comma = std::min(rates.find(',', at), rates.size());
      settings.rates_per_s.push_back(number("BRINK_STEP_RATES", rates.substr(at, comma - at)));
      at = comma + 1;
    }
  }
  if (const std::string seed = get("BRINK_STEP_SEED"); !seed.empty()) {
    settings.seed = static_cast<std::uint64_t>(number("BRINK_STEP_SEED", seed));
  }
  settings.trace_path = get("BRINK_STEP_TRACE");
  return settings;
}

}  // namespace brink::kernels
