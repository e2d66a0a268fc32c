#include "models/fabric/routes.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <boost/graph/filtered_graph.hpp>
#include <boost/property_map/function_property_map.hpp>

#include "models/base/error.h"

namespace brink::fabric {
namespace {

constexpr std::int64_t unreached = std::numeric_limits<std::int64_t>::max() / 4;

bool on_nvlink(DeviceKind kind) { return kind == DeviceKind::gpu || kind == DeviceKind::hbm || kind == DeviceKind::nvswitch; }

// Devices of a third node never relay, so they are not there at all.
struct OnTheWay {
  const Graph* graph = nullptr;
  std::int64_t from_node = -1, to_node = -1;
  bool nvlink_only = false;
  bool operator()(Graph::vertex_descriptor vertex) const {
    const Device& device = (*graph)[vertex];
    if (nvlink_only) return device.node == from_node && on_nvlink(device.kind);
    return device.node < 0 || device.node == from_node || device.node == to_node;
  }
};

// FNV-1a over the three names, then a mixer, since FNV's low bits alone follow the last letters
// (constants: Fowler, Noll, Vo; SplitMix64's finaliser, Steele et al., OOPSLA 2014).
std::uint64_t hash_of(const std::string& from, const std::string& to, const std::string& at) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const std::string* name : {&from, &to, &at}) {
    for (const char c : *name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    hash = (hash ^ 0xFFU) * 1099511628211ULL;
  }
  hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9ULL;
  hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBULL;
  return hash ^ (hash >> 31);
}

}  // namespace

RoutesFrom::RoutesFrom(const Topology& topology, const std::string& from)
    : topology_(topology), source_(topology.vertex(from)) {}

RoutesFrom::Length RoutesFrom::length_of(const Link& link) {
  return {static_cast<std::int64_t>(std::llround(link.latency.value() * 1e12)), 1};
}

RoutesFrom::Length RoutesFrom::sum(const Length& a, const Length& b) {
  return {a.picoseconds + b.picoseconds, a.hops + b.hops};
}

RoutesFrom::Tree RoutesFrom::grow(std::int64_t node, bool nvlink_only) const {
  const Graph& graph = topology_.graph();
  const Length infinite{unreached, unreached};
  Tree tree;
  tree.distance.assign(boost::num_vertices(graph), infinite);
  const boost::filtered_graph<Graph, boost::keep_all, OnTheWay> near(graph, {}, OnTheWay{&graph, graph[source_].node, node, nvlink_only});
  const auto weight = boost::make_function_property_map<Edge>([&](const Edge& edge) { return length_of(graph[edge]); });
  boost::dijkstra_shortest_paths(
      near, source_,
      boost::distance_map(boost::make_iterator_property_map(tree.distance.begin(), boost::get(boost::vertex_index, graph)))
          .weight_map(weight)
          .distance_compare(std::less<Length>())
          .distance_combine(&RoutesFrom::sum)
          .distance_inf(infinite)
          .distance_zero(Length{}));
  return tree;
}

const RoutesFrom::Tree& RoutesFrom::tree_to(Vertex target) {
  const Graph& graph = topology_.graph();
  const Device& from = graph[source_];
  const Device& to = graph[target];
  if (from.node >= 0 && from.node == to.node && on_nvlink(from.kind) && on_nvlink(to.kind)) {
    if (!nvlink_) nvlink_ = grow(from.node, true);
    if (nvlink_->distance[target].picoseconds < unreached) return *nvlink_;
  }
  const auto found = trees_.find(to.node);
  if (found != trees_.end()) return found->second;
  return trees_.emplace(to.node, grow(to.node, false)).first->second;
}

// The links by which a least-length route can come to `at`, in the order of the graph.
std::vector<Graph::edge_descriptor> RoutesFrom::steps_before(const Tree& tree, Vertex at) const {
  const Graph& graph = topology_.graph();
  std::vector<Edge> steps;
  for (auto [edge, end] = boost::in_edges(at, graph); edge != end; ++edge) {
    const Length& before = tree.distance[boost::source(*edge, graph)];
    if (before.picoseconds < unreached && sum(before, length_of(graph[*edge])) == tree.distance[at]) steps.push_back(*edge);
  }
  return steps;
}

void RoutesFrom::require_reached(const Tree& tree, Vertex target) const {
  if (tree.distance[target].picoseconds < unreached) return;
  const Graph& graph = topology_.graph();
  throw ConfigError("/fabric", "no path from " + graph[source_].name + " to " + graph[target].name,
                    "a connected fabric, in which no device of a third node has to relay");
}

Route RoutesFrom::to(const std::string& to) {
  const Graph& graph = topology_.graph();
  const Vertex target = topology_.vertex(to);
  Route route;
  if (source_ == target) return route;
  const Tree& tree = tree_to(target);
  require_reached(tree, target);
  for (Vertex at = target; at != source_;) {
    const std::vector<Edge> steps = steps_before(tree, at);
    const std::size_t pick = steps.size() == 1 ? 0 : hash_of(graph[source_].name, to, graph[at].name) % steps.size();
    route.links.push_back(graph[steps[pick]]);
    at = boost::source(steps[pick], graph);
  }
  std::reverse(route.links.begin(), route.links.end());
  route.bottleneck = route.links.front().capacity;
  for (const Link& link : route.links) {
    route.latency += link.latency;
    route.bottleneck = std::min(route.bottleneck, link.capacity);
  }
  return route;
}

std::vector<Graph::edge_descriptor> RoutesFrom::equal_routes(const std::string& to) {
  const Graph& graph = topology_.graph();
  const Vertex target = topology_.vertex(to);
  std::vector<Edge> links;
  if (source_ == target) return links;
  const Tree& tree = tree_to(target);
  require_reached(tree, target);
  std::vector<Vertex> open{target};
  std::set<Vertex> seen{target};
  while (!open.empty()) {
    const Vertex at = open.back();
    open.pop_back();
    if (at == source_) continue;
    for (const Edge& step : steps_before(tree, at)) {
      links.push_back(step);
      if (seen.insert(boost::source(step, graph)).second) open.push_back(boost::source(step, graph));
    }
  }
  return links;
}

}  // namespace brink::fabric
