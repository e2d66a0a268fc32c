#include "sim/scenario/read_shaping.h"

namespace brink::scenario {

ShapingSettings read_shaping(ObjectReader& scenario) {
  const Json nothing = Json::object();
  ObjectReader in = scenario.has("shaping") ? scenario.object("shaping") : ObjectReader(nothing, "/shaping");
  ShapingSettings out;
  const auto names = policy::shaper_names();
  out.policy = in.choice_or("policy", names, names.front());
  out.resolved.set("policy", out.policy);
  out.make = policy::read_shaper(out.policy, in, out.resolved);
  in.finish();
  return out;
}

std::unique_ptr<policy::IShaper> make_shaper(const ShapingSettings& settings) {
  return settings.active() ? settings.make() : nullptr;
}

}  // namespace brink::scenario
