#include "models/cost/launch_costs.h"

#include <string_view>
#include <utility>

#include "models/cost/significant.h"

namespace brink::cost {
namespace {

using Field = std::optional<Seconds> LaunchCosts::*;
constexpr std::pair<std::string_view, Field> kFields[] = {{"host_launch_s", &LaunchCosts::host_launch},
                                                          {"kernel_gap_s", &LaunchCosts::kernel_gap},
                                                          {"graph_host_s", &LaunchCosts::graph_host},
                                                          {"graph_launch_s", &LaunchCosts::graph_launch},
                                                          {"graph_node_s", &LaunchCosts::graph_node}};

}  // namespace

LaunchCosts LaunchCosts::from_json(ObjectReader reader) {
  LaunchCosts costs;
  for (const auto& [name, field] : kFields)
    if (reader.has(name)) costs.*field = Seconds(reader.number(name, Range::between(0.0, 0.01, "s")));
  reader.finish();
  return costs;
}

Json LaunchCosts::to_json() const {
  Json json = Json::object();
  for (const auto& [name, field] : kFields)
    if (this->*field) json.set(name, round_significant((this->*field)->value()));
  return json;
}

}  // namespace brink::cost
