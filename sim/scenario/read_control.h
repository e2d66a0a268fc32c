// /control: the SLO controller of every replica.
#pragma once

#include <memory>
#include <string>

#include "models/base/object_reader.h"
#include "sim/policy/i_controller.h"

namespace brink::scenario {

struct ControlSettings {
  std::string policy = "none";
  Json resolved = Json::object();  // the policy and each parameter with its value
  policy::ControllerMaker make;

  [[nodiscard]] bool active() const { return policy != "none"; }
};

/// Reads the scenario's /control ("none" when absent). Throws ConfigError with the pointer of the field.
[[nodiscard]] ControlSettings read_control(ObjectReader& scenario);

/// A controller for one replica; null without one, so that the engine pays nothing.
[[nodiscard]] std::unique_ptr<policy::IController> make_controller(const ControlSettings& settings);

}  // namespace brink::scenario
