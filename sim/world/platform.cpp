#include "sim/world/platform.h"

#include <fmt/format.h>

#include "models/base/error.h"

namespace brink::world {

Seconds Platform::latency(std::size_t from, std::size_t to) const {
  if (from == to) return Seconds(0.0);
  const auto found = latencies.find({from, to});
  if (found == latencies.end()) {
    throw Error(fmt::format("no route from {} to {}: the two were not declared to exchange data", hosts[from].name,
                            hosts[to].name));
  }
  return found->second;
}

std::size_t host_index(const fabric::Cluster& cluster, const fabric::GpuPlace& place) {
  return static_cast<std::size_t>(place.node * cluster.gpus_per_node + place.index);
}

Platform make_platform(const fabric::Cluster& cluster, const fabric::Topology& topology,
                       const std::vector<std::vector<fabric::GpuPlace>>& groups, FlopsPerSecond gpu_speed) {
  Platform platform;
  for (std::int64_t node = 0; node < cluster.nodes; ++node) {
    for (std::int64_t index = 0; index < cluster.gpus_per_node; ++index) {
      platform.hosts.push_back({topology.gpu_name(node, index), gpu_speed});
    }
  }
  std::map<std::string, std::size_t> link_index;
  for (const fabric::Link& link : topology.links()) {
    link_index.emplace(link.name, platform.links.size());
    platform.links.push_back({link.name, link.capacity});
  }
  for (const auto& group : groups) {
    for (const auto& from : group) {
      for (const auto& to : group) {
        const std::pair key{host_index(cluster, from), host_index(cluster, to)};
        if (from == to || platform.latencies.contains(key)) continue;
        const fabric::Route route = topology.route(platform.hosts[key.first].name, platform.hosts[key.second].name);
        simgrid_api::RouteSpec spec{key.first, key.second, {}};
        for (const fabric::Link& link : route.links) spec.links.push_back(link_index.at(link.name));
        platform.routes.push_back(std::move(spec));
        platform.latencies.emplace(key, route.latency);
      }
    }
  }
  return platform;
}

}  // namespace brink::world
