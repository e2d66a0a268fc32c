#include "sim/app/inspect_fabric.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "models/base/error.h"
#include "models/fabric/cuts.h"
#include "models/fabric/topology.h"
#include "models/fabric/topology_json.h"
#include "models/gpu/gpu_spec.h"
#include "sim/app/facts_reading.h"

namespace brink::app {

namespace {

constexpr std::size_t groups_shown_max = 32;

double in_gb_per_s(BytesPerSecond rate) { return rate.value() / 1e9; }

void add_route(Json& out, const char* key, const fabric::Topology& topology, const fabric::GpuPlace& to) {
  const fabric::Route route = topology.route(topology.gpu_name(0, 0), topology.gpu_name(to.node, to.index));
  Json& facts = out.set(key, Json::object());
  facts.set("hops", static_cast<std::int64_t>(route.links.size()));
  facts.set("latency_us", to_us(route.latency));
  facts.set("gb_per_s", in_gb_per_s(route.bottleneck));
}

Json devices_by_kind(const fabric::Topology& topology) {
  std::map<fabric::DeviceKind, std::pair<std::int64_t, std::int64_t>> count;  // devices, chips
  for (const fabric::Device& device : topology.devices()) {
    ++count[device.kind].first;
    count[device.kind].second += device.chips;
  }
  Json out = Json::array();
  for (const auto& [kind, of_kind] : count) {
    Json& row = out.push_back(Json::object());
    row.set("device", fabric::kind_name(kind));
    row.set("count", of_kind.first);
    row.set("chips", of_kind.second);
  }
  return out;
}

// Cables that are alike in all that matters: what they join, capacity, latency.
Json cables_by_kind(const fabric::Topology& topology) {
  using Key = std::tuple<fabric::DeviceKind, fabric::DeviceKind, double, double, double, bool>;
  const fabric::Graph& graph = topology.graph();
  std::map<Key, std::int64_t> count;
  for (auto [edge, end] = boost::edges(graph); edge != end; ++edge) {
    const std::size_t a = boost::source(*edge, graph), b = boost::target(*edge, graph);
    const auto ranked = [&](std::size_t v) { return std::pair{graph[v].kind, v}; };
    if (ranked(a) > ranked(b)) continue;  // the other way of a cable already seen
    const fabric::Link& there = graph[*edge];
    const fabric::Link& back = graph[boost::edge(b, a, graph).first];
    ++count[{graph[a].kind, graph[b].kind, in_gb_per_s(there.capacity), in_gb_per_s(back.capacity), to_us(there.latency), !there.medium.empty()}];
  }
  Json out = Json::array();
  for (const auto& [key, cables] : count) {
    const auto& [from, to, there, back, latency_us, shared] = key;
    Json& row = out.push_back(Json::object());
    row.set("cable", std::string(fabric::kind_name(from)) + " - " + fabric::kind_name(to));
    row.set("count", cables);
    row.set("gb_per_s", there);
    row.set("back_gb_per_s", back);
    row.set("duplex", shared ? "half" : "full");
    row.set("latency_us", latency_us);
  }
  return out;
}

void describe_group(Json& row, const fabric::Topology& topology, const std::vector<fabric::GpuPlace>& places) {
  std::set<std::int64_t> nodes;
  for (const fabric::GpuPlace& place : places) nodes.insert(place.node);
  row.set("nodes", static_cast<std::int64_t>(nodes.size()));
  const std::vector<std::string> names = fabric::gpu_names(topology, places);
  row.set("gpus", names.size() > 1 ? names.front() + " .. " + names.back() : names.front());
  const fabric::Cut cut = fabric::narrowest_cut(topology, names);
  row.set("narrowest_cut_gb_per_s", in_gb_per_s(cut.capacity));
  row.set("splits_off_gpus", static_cast<std::int64_t>(cut.smaller_side.size()));
}

// One replica of each size that fits: powers of two and whole nodes.
Json cuts_by_size(const fabric::Cluster& cluster, const fabric::Topology& topology) {
  std::set<std::int64_t> sizes;
  for (std::int64_t ranks = 2; ranks <= std::min<std::int64_t>(cluster.gpus(), 32); ranks *= 2) sizes.insert(ranks);
  for (const std::int64_t nodes : {1, 2})
    if (nodes <= cluster.nodes && nodes * cluster.gpus_per_node > 1) sizes.insert(nodes * cluster.gpus_per_node);
  Json out = Json::array();
  for (const std::int64_t ranks : sizes) {
    std::set<std::vector<fabric::GpuPlace>> seen;
    for (const std::string& policy : fabric::placement_policy_names()) {
      const auto places = fabric::place_ranks(cluster, 1, ranks, fabric::placement_policy(policy))[0];
      auto set_of = places;
      std::sort(set_of.begin(), set_of.end());
      if (!seen.insert(set_of).second) continue;  // the same GPUs as an earlier policy
      Json& row = out.push_back(Json::object());
      row.set("tensor_parallel_size", ranks);
      row.set("placement", policy);
      describe_group(row, topology, places);
    }
  }
  return out;
}

}  // namespace

bool is_cluster_file(const Json& json) {
  if (!json.is_object()) return false;
  for (const char* key : {"model", "workload", "cluster", "profile"})
    if (json.find(key) != nullptr) return false;
  return json.find("gpus_per_node") != nullptr || json.find("fabric") != nullptr;
}

fabric::Cluster load_inspected_cluster(const std::string& path, const std::vector<std::string>& settings) {
  try {
    Json json = load_json(path);
    for (const std::string& setting : settings) apply_setting(json, setting);
    fabric::Cluster cluster = fabric::read_cluster(json, std::filesystem::path(path).parent_path().string());
    if (cluster.hbm.bandwidth.value() <= 0.0) cluster.hbm.bandwidth = gpu::load_gpu(cluster.gpu_path).hbm_achieved;
    return cluster;
  } catch (const ConfigError& error) {
    throw error.in_file(path);
  }
}

void add_fabric_facts(Json& out, const fabric::Cluster& cluster) {
  const fabric::Topology topology(cluster);
  Json& facts = out.set("fabric", Json::object());
  facts.set("nodes", cluster.nodes);
  facts.set("gpus_per_node", cluster.gpus_per_node);
  facts.set("devices", static_cast<std::int64_t>(topology.devices().size()));
  facts.set("links", static_cast<std::int64_t>(topology.links().size()));
  facts.set("bisection_gb_per_s", in_gb_per_s(fabric::bisection(topology, cluster)));
  if (cluster.gpus_per_node > 1) add_route(facts, "inside_node", topology, {0, 1});
  if (cluster.nodes > 1) add_route(facts, "between_nodes", topology, {1, 0});
  out.set("devices", devices_by_kind(topology));
  out.set("cables", cables_by_kind(topology));
}

Json group_cuts(const fabric::Cluster& cluster, const std::vector<std::vector<fabric::GpuPlace>>& replicas) {
  const fabric::Topology topology(cluster);
  Json out = Json::array();
  for (std::size_t i = 0; i < replicas.size() && i < groups_shown_max; ++i) {
    if (replicas[i].size() < 2) continue;
    Json& row = out.push_back(Json::object());
    row.set("replica", static_cast<std::int64_t>(i));
    describe_group(row, topology, replicas[i]);
  }
  return out;
}

Json inspect_cluster(const fabric::Cluster& cluster) {
  Json out = Json::object();
  out.set("name", cluster.name);
  add_fabric_facts(out, cluster);
  out.set("tensor_parallel_groups", cuts_by_size(cluster, fabric::Topology(cluster)));
  return out;
}

void add_topology(Json& out, const fabric::Cluster& cluster) { out.set("topology", fabric::topology_json(fabric::Topology(cluster))); }

namespace {

void routes(Out out, const Json& f) {
  for (const char* key : {"inside_node", "between_nodes"}) {
    const Json* route = f.find(key);
    if (route == nullptr) continue;
    fmt::format_to(out, "  GPU to GPU {:<14} {} links, {:.2f} us, {:.0f} GB/s\n", std::string(key) == "inside_node" ? "in a node:" : "between nodes:",
                   integer(*route, "hops"), number(*route, "latency_us"), number(*route, "gb_per_s"));
  }
}

void groups(Out out, const Json& facts) {
  const Json* rows = facts.find("tensor_parallel_groups");
  if (rows == nullptr || rows->items().empty()) return;
  fmt::format_to(out, "\nNarrowest cut of a replica's ranks (GB/s, one way)\n");
  for (const Json& row : rows->items()) {
    const std::string who = row.find("replica") != nullptr
                                ? fmt::format("replica {}", integer(row, "replica"))
                                : fmt::format("TP{:<3} {}", integer(row, "tensor_parallel_size"), text(row, "placement"));
    fmt::format_to(out, "  {:<20} {:>3} nodes  {:<24}{:>8.6g}  parts {} from the others\n", who, integer(row, "nodes"), text(row, "gpus"),
                   number(row, "narrowest_cut_gb_per_s"), integer(row, "splits_off_gpus"));
  }
}

}  // namespace

std::string fabric_text(const Json& facts) {
  std::string result;
  const Out out = std::back_inserter(result);
  const Json& f = at(facts, "fabric");
  fmt::format_to(out, "Fabric: {} nodes of {} GPUs, {} devices, {} links, bisection {:.6g} GB/s\n", integer(f, "nodes"), integer(f, "gpus_per_node"),
                 integer(f, "devices"), integer(f, "links"), number(f, "bisection_gb_per_s"));
  routes(out, f);
  fmt::format_to(out, "\n  {:<26}{:>7} {:>10} {:>10} {:>8}\n", "cable", "count", "GB/s", "latency us", "duplex");
  for (const Json& row : at(facts, "cables").items()) {
    fmt::format_to(out, "  {:<26}{:>7} {:>10.6g} {:>10.3g} {:>8}\n", text(row, "cable"), integer(row, "count"), number(row, "gb_per_s"),
                   number(row, "latency_us"), text(row, "duplex"));
  }
  groups(out, facts);
  return result;
}

}  // namespace brink::app
