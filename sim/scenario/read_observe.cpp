#include "sim/scenario/read_observe.h"

namespace brink::scenario {

ObserveSettings read_observe(ObjectReader& in) {
  ObserveSettings out;
  if (!in.has("observe")) return out;
  ObjectReader reader = in.object("observe");
  out.plans = reader.boolean_or("plans", out.plans);
  out.regimes = reader.boolean_or("regimes", out.regimes);
  out.drift = reader.boolean_or("drift", out.plans);
  if (out.drift && !out.plans) {
    throw reader.error("drift", "true", "allowed: false while /observe/plans is false: drift follows from plans");
  }
  reader.finish();
  return out;
}

Json to_json(const ObserveSettings& observe) {
  Json out = Json::object();
  out.set("plans", observe.plans);
  out.set("regimes", observe.regimes);
  out.set("drift", observe.drift);
  return out;
}

}  // namespace brink::scenario
