#include "sim/scenario/read_control.h"

namespace brink::scenario {

ControlSettings read_control(ObjectReader& scenario) {
  const Json nothing = Json::object();
  ObjectReader in = scenario.has("control") ? scenario.object("control") : ObjectReader(nothing, "/control");
  ControlSettings out;
  const auto names = policy::controller_names();
  out.policy = in.choice_or("policy", names, names.front());
  out.resolved.set("policy", out.policy);
  out.make = policy::read_controller(out.policy, in, out.resolved);
  in.finish();
  return out;
}

std::unique_ptr<policy::IController> make_controller(const ControlSettings& settings) {
  return settings.active() ? settings.make() : nullptr;
}

}  // namespace brink::scenario
