#include "sim/world/platform.h"

#include <algorithm>

#include <fmt/format.h>

#include "models/base/error.h"
#include "models/fabric/routes.h"

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

std::size_t Platform::link(const std::string& name) const {
  const auto found = link_index.find(name);
  if (found == link_index.end()) throw Error("no link " + name + " on this platform");
  return found->second;
}

std::size_t host_index(const fabric::Cluster& cluster, const fabric::GpuPlace& place) {
  return static_cast<std::size_t>(place.node * cluster.gpus_per_node + place.index);
}

std::size_t memory_index(const fabric::Cluster& cluster, const fabric::GpuPlace& place) {
  return static_cast<std::size_t>(cluster.gpus()) + host_index(cluster, place);
}

std::size_t node_host_index(const fabric::Cluster& cluster, std::int64_t node) {
  return static_cast<std::size_t>(2 * cluster.gpus() + node);
}

namespace {

class Builder {
 public:
  Builder(const fabric::Cluster& cluster, const fabric::Topology& topology) : cluster_(cluster), topology_(topology) {}

  Platform build(const Traffic& traffic, FlopsPerSecond gpu_speed) {
    add_hosts(traffic, gpu_speed);
    add_links();
    for (const auto& group : traffic.ranks) {
      Indices ranks;
      for (const auto& place : group) ranks.push_back(host_index(cluster_, place));
      each_with_each(ranks);
    }
    for (const auto& group : traffic.memories) add_memories(group, traffic.hosts);
    Indices hosts;
    for (const std::int64_t node : traffic.hosts) hosts.push_back(node_host_index(cluster_, node));
    each_with_each(hosts);
    return std::move(platform_);
  }

 private:
  using Indices = std::vector<std::size_t>;

  template <class Visit>
  void each_gpu(Visit visit) {
    for (std::int64_t node = 0; node < cluster_.nodes; ++node)
      for (std::int64_t index = 0; index < cluster_.gpus_per_node; ++index) visit(node, index);
  }

  // Memories and hosts compute nothing; SimGrid wants a speed all the same.
  void add_hosts(const Traffic& traffic, FlopsPerSecond gpu_speed) {
    const FlopsPerSecond idle(1.0);
    each_gpu([&](auto node, auto index) { platform_.hosts.push_back({topology_.gpu_name(node, index), gpu_speed}); });
    if (traffic.memories.empty() && traffic.hosts.empty()) return;
    const bool memories = topology_.has_memories() || !traffic.memories.empty();
    each_gpu([&](auto node, auto index) {
      // Numbers of hosts do not depend on whether there are memories.
      platform_.hosts.push_back({memories ? topology_.memory_name(node, index) : topology_.gpu_name(node, index) + ".hbm", idle});
    });
    if (traffic.hosts.empty()) return;
    for (std::int64_t node = 0; node < cluster_.nodes; ++node) platform_.hosts.push_back({topology_.host_name(node), idle});
  }

  void add_links() {
    for (const fabric::Link& link : topology_.links()) {
      const auto [at, is_new] = platform_.link_index.emplace(link.resource(), platform_.links.size());
      if (is_new) platform_.links.push_back({link.resource(), link.capacity});
      platform_.link_index.emplace(link.name, at->second);
    }
  }

  void add_memories(const std::vector<fabric::GpuPlace>& group, const std::vector<std::int64_t>& hosts) {
    Indices memories;
    for (const auto& place : group) {
      memories.push_back(memory_index(cluster_, place));
      each_with_each({memories.back(), host_index(cluster_, place)});
      if (std::find(hosts.begin(), hosts.end(), place.node) != hosts.end())
        each_with_each({memories.back(), node_host_index(cluster_, place.node)});
    }
    each_with_each(memories);
  }

  void each_with_each(const Indices& group) {
    for (const std::size_t from : group) {
      fabric::RoutesFrom routes(topology_, platform_.hosts[from].name);
      for (const std::size_t to : group) {
        if (from == to || platform_.latencies.contains({from, to})) continue;
        const fabric::Route route = routes.to(platform_.hosts[to].name);
        simgrid_api::RouteSpec spec{from, to, {}};
        for (const fabric::Link& link : route.links) spec.links.push_back(platform_.link(link.name));
        platform_.routes.push_back(std::move(spec));
        platform_.latencies.emplace(std::pair{from, to}, route.latency);
      }
    }
  }

  const fabric::Cluster& cluster_;
  const fabric::Topology& topology_;
  Platform platform_;
};

}  // namespace

Platform make_platform(const fabric::Cluster& cluster, const fabric::Topology& topology, const Traffic& traffic,
                       FlopsPerSecond gpu_speed) {
  return Builder(cluster, topology).build(traffic, gpu_speed);
}

Platform make_platform(const fabric::Cluster& cluster, const fabric::Topology& topology,
                       const std::vector<std::vector<fabric::GpuPlace>>& groups, FlopsPerSecond gpu_speed) {
  return make_platform(cluster, topology, Traffic{groups, {}, {}}, gpu_speed);
}

}  // namespace brink::world
