#include "sim/scenario/read_regimes.h"

namespace brink::scenario {

RegimeSettings read_regimes(ObjectReader& scenario) {
  const Json nothing = Json::object();
  ObjectReader in = scenario.has("regimes") ? scenario.object("regimes") : ObjectReader(nothing, "/regimes");
  RegimeSettings out;
  const auto number = [&](const char* key, double fallback, Range range) {
    const double value = in.number_or(key, fallback, range);
    out.resolved.set(key, value);
    return value;
  };
  memory::RegimeThresholds& t = out.thresholds;
  t.evaporation_ratio = number("evaporation_ratio", t.evaporation_ratio, Range{0.0, 1.0, false, "of the KV pool"});
  t.pressured = mib(number("pressured_mib", t.pressured / mib(1), Range{0.0, 1e9, false, "MiB on a rank"}));
  t.queue_p95 = milliseconds(number("queue_p95_ms", to_ms(t.queue_p95), Range{0.0, 1e9, false, "ms"}));
  t.paging_window = Seconds(number("paging_window_s", t.paging_window.value(), Range{0.0, 1e6, true, "s"}));
  t.queue_window = Seconds(number("queue_window_s", t.queue_window.value(), Range{0.0, 1e6, true, "s"}));
  const std::string pins = in.choice_or("pins", {"all", "withheld"}, "all");
  out.count_live_pins = pins == "all";
  out.resolved.set("pins", pins);
  in.finish();
  return out;
}

}  // namespace brink::scenario
