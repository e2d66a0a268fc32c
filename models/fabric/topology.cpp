#include "models/fabric/topology.h"

#include <algorithm>
#include <set>

#include <boost/graph/strong_components.hpp>
#include <fmt/format.h>

#include "models/base/error.h"
#include "models/fabric/routes.h"
#include "models/fabric/wiring.h"

namespace brink::fabric {
namespace {

using Vertex = Graph::vertex_descriptor;

template <class Visit>
void each_edge(const Graph& graph, Visit visit) {
  for (Vertex vertex = 0; vertex < boost::num_vertices(graph); ++vertex)
    for (auto [edge, end] = boost::out_edges(vertex, graph); edge != end; ++edge) visit(*edge);
}

void check_link(const Link& link) {
  if (!(link.capacity.value() > 0.0) || !is_finite(link.capacity)) {
    throw ConfigError("/fabric/links/" + link.name, fmt::format("a capacity of {} B/s", link.capacity.value()),
                      "a positive, finite capacity");
  }
  if (!(link.latency.value() >= 0.0) || !is_finite(link.latency)) {
    throw ConfigError("/fabric/links/" + link.name, fmt::format("a latency of {} s", link.latency.value()),
                      "a finite latency of at least 0");
  }
}

void check_links(const Graph& graph) {
  std::set<std::pair<Vertex, Vertex>> ways;
  each_edge(graph, [&](const Graph::edge_descriptor& edge) {
    check_link(graph[edge]);
    if (!ways.insert({boost::source(edge, graph), boost::target(edge, graph)}).second)
      throw ConfigError("/fabric/links/" + graph[edge].name, "two links between the same devices", "one, with the capacity of both");
  });
  for (const auto& [from, to] : ways) {
    if (ways.count({to, from}) != 0) continue;
    throw ConfigError("/fabric/links/" + graph[from].name + "->" + graph[to].name, "one direction only",
                      "a link each way between two devices");
  }
}

void check_devices(const Graph& graph) {
  std::set<std::string> names;
  for (auto [vertex, end] = boost::vertices(graph); vertex != end; ++vertex) {
    const std::string& name = graph[*vertex].name;
    if (!names.insert(name).second) throw ConfigError("/fabric/devices/" + name, "two devices of this name", "one");
    if (boost::out_degree(*vertex, graph) == 0)
      throw ConfigError("/fabric/devices/" + name, "a device without links", "at least one link");
  }
}

void check_connected(const Graph& graph) {
  if (boost::num_vertices(graph) == 0) throw ConfigError("/fabric", "no devices", "at least one");
  std::vector<int> component(boost::num_vertices(graph));
  const int parts = boost::strong_components(
      graph, boost::make_iterator_property_map(component.begin(), boost::get(boost::vertex_index, graph)));
  if (parts == 1) return;
  const auto other = std::find_if(component.begin(), component.end(), [&](int c) { return c != component[0]; });
  const auto vertex = static_cast<Vertex>(other - component.begin());
  throw ConfigError("/fabric", fmt::format("{} parts that cannot reach each other", parts),
                    fmt::format("a path from {} to {}", graph[0].name, graph[vertex].name));
}

std::shared_ptr<const Graph> checked(std::shared_ptr<const Graph> graph) {
  check_links(*graph);
  check_devices(*graph);
  check_connected(*graph);
  return graph;
}

}  // namespace

Topology::Index::Index(std::shared_ptr<const Graph> graph) : graph_(std::move(graph)) {
  for (auto [vertex, end] = boost::vertices(*graph_); vertex != end; ++vertex) {
    const Device& device = (*graph_)[*vertex];
    by_name_.emplace(device.name, *vertex);
    by_place_[device.kind].emplace(Place{device.node, device.index}, *vertex);
  }
}

bool Topology::Index::has(DeviceKind kind) const { return by_place_.count(kind) != 0; }

const std::string& Topology::Index::name(DeviceKind kind, std::int64_t node, std::int64_t index) const {
  const auto of_kind = by_place_.find(kind);
  if (of_kind != by_place_.end()) {
    const auto found = of_kind->second.find({node, index});
    if (found != of_kind->second.end()) return (*graph_)[found->second].name;
  }
  throw ConfigError("/fabric/devices", fmt::format("no {} {} of node {}", kind_name(kind), index, node), "one that the fabric has");
}

std::size_t Topology::Index::vertex(const std::string& name) const {
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) return found->second;
  std::vector<std::string> names;
  for (auto [vertex, end] = boost::vertices(*graph_); vertex != end; ++vertex) names.push_back((*graph_)[*vertex].name);
  const std::string nearest = nearest_name(name, names);
  throw ConfigError("/fabric/devices", "'" + name + "'",
                    nearest.empty() ? "the name of a device of this cluster" : "did you mean '" + nearest + "'?");
}

Topology::Topology(const Cluster& cluster) : index_(std::make_shared<Index>(checked(wire(cluster)))) {}
Topology::Topology(std::shared_ptr<const Graph> graph) : index_(std::make_shared<Index>(checked(std::move(graph)))) {}

std::vector<Device> Topology::devices() const {
  std::vector<Device> all;
  for (auto [vertex, end] = boost::vertices(graph()); vertex != end; ++vertex) all.push_back(graph()[*vertex]);
  return all;
}

std::vector<Link> Topology::links() const {
  std::vector<Link> all;
  each_edge(graph(), [&](const Graph::edge_descriptor& edge) { all.push_back(graph()[edge]); });
  return all;
}

const std::string& Topology::gpu_name(std::int64_t node, std::int64_t index) const {
  return index_->name(DeviceKind::gpu, node, index);
}
const std::string& Topology::memory_name(std::int64_t node, std::int64_t index) const {
  return index_->name(DeviceKind::hbm, node, index);
}
const std::string& Topology::host_name(std::int64_t node) const { return index_->name(DeviceKind::host, node, 0); }

std::size_t Topology::vertex(const std::string& name) const { return index_->vertex(name); }

Route Topology::route(const std::string& from, const std::string& to) const {
  return RoutesFrom(*this, from).to(to);
}

BytesPerSecond Topology::cut(const std::vector<std::string>& inside) const {
  const std::set<std::string> names(inside.begin(), inside.end());
  BytesPerSecond total;
  each_edge(graph(), [&](const Graph::edge_descriptor& edge) {
    const Link& link = graph()[edge];
    if (names.count(link.from) != 0 && names.count(link.to) == 0) total += link.capacity;
  });
  return total;
}

}  // namespace brink::fabric
