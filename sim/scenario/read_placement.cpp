#include "sim/scenario/read_placement.h"

namespace brink::scenario {

PlacementSettings read_placement(ObjectReader& scenario) {
  const Json nothing = Json::object();
  ObjectReader in = scenario.has("placement") ? scenario.object("placement") : ObjectReader(nothing, "/placement");
  PlacementSettings out;
  out.policy = fabric::placement_policy(in.choice_or("policy", fabric::placement_policy_names(), fabric::policy_name(out.policy)));
  out.resolved.set("policy", fabric::policy_name(out.policy));
  in.finish();
  return out;
}

}  // namespace brink::scenario
