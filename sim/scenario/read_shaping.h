// /shaping: what the gateway does to requests under load.
#pragma once

#include <memory>
#include <string>

#include "models/base/object_reader.h"
#include "sim/policy/i_shaper.h"

namespace brink::scenario {

struct ShapingSettings {
  std::string policy = "none";
  Json resolved = Json::object();  // the policy and each parameter with its value
  policy::ShaperMaker make;

  [[nodiscard]] bool active() const { return policy != "none"; }
};

/// Reads the scenario's /shaping ("none" when absent). Throws ConfigError with the pointer of the field.
[[nodiscard]] ShapingSettings read_shaping(ObjectReader& scenario);

/// The gateway's shaper; null without one.
[[nodiscard]] std::unique_ptr<policy::IShaper> make_shaper(const ShapingSettings& settings);

}  // namespace brink::scenario
