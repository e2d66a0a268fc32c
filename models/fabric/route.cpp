#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <boost/property_map/function_property_map.hpp>

#include "models/base/error.h"
#include "models/fabric/topology.h"

namespace brink::fabric {
namespace {

using Vertex = Graph::vertex_descriptor;
using Edge = Graph::edge_descriptor;

// Latency first, then hops: two routes of equal latency must not be told apart by the order
// in which the graph was built.
struct Length {
  Seconds latency{0.0};
  std::int64_t hops = 0;
  auto operator<=>(const Length&) const = default;
};

struct Longer {
  Length operator()(const Length& a, const Length& b) const { return {a.latency + b.latency, a.hops + b.hops}; }
};

// A GPU relays only on the source's or the destination's node, where NCCL's PXN uses the
// neighbour on the right rail; GPUs of other nodes are never transit.
class RelayFilter {
 public:
  RelayFilter(const Graph& graph, Vertex from, Vertex to) : graph_(&graph), from_(from), to_(to) {}

  [[nodiscard]] bool may_relay(Vertex vertex) const {
    const Device& device = (*graph_)[vertex];
    if (vertex == from_ || vertex == to_ || device.kind != DeviceKind::gpu) return true;
    return device.node == (*graph_)[from_].node || device.node == (*graph_)[to_].node;
  }

 private:
  const Graph* graph_;
  Vertex from_, to_;
};

Vertex vertex_of(const Graph& graph, const std::string& name) {
  for (Vertex vertex = 0; vertex < boost::num_vertices(graph); ++vertex)
    if (graph[vertex].name == name) return vertex;
  std::vector<std::string> names;
  for (Vertex vertex = 0; vertex < boost::num_vertices(graph); ++vertex) names.push_back(graph[vertex].name);
  const std::string nearest = nearest_name(name, names);
  throw ConfigError("/fabric/devices", "'" + name + "'",
                    nearest.empty() ? "the name of a device of this cluster" : "did you mean '" + nearest + "'?");
}

}  // namespace

Route Topology::route(const std::string& from, const std::string& to) const {
  const Graph& graph = *graph_;
  const Vertex source = vertex_of(graph, from);
  const Vertex target = vertex_of(graph, to);
  Route route;
  if (source == target) return route;

  const RelayFilter relays(graph, source, target);
  const std::size_t count = boost::num_vertices(graph);
  const Length infinite{Seconds(std::numeric_limits<double>::infinity()), std::numeric_limits<std::int64_t>::max() / 4};
  std::vector<Length> distance(count, infinite);
  std::vector<Vertex> previous(count);
  const auto weight = boost::make_function_property_map<Edge>([&](const Edge& edge) {
    return relays.may_relay(boost::source(edge, graph)) ? Length{graph[edge].latency, 1} : infinite;
  });
  boost::dijkstra_shortest_paths(
      graph, source,
      boost::predecessor_map(boost::make_iterator_property_map(previous.begin(), boost::get(boost::vertex_index, graph)))
          .distance_map(boost::make_iterator_property_map(distance.begin(), boost::get(boost::vertex_index, graph)))
          .weight_map(weight)
          .distance_compare(std::less<Length>())
          .distance_combine(Longer())
          .distance_inf(infinite)
          .distance_zero(Length{}));

  for (Vertex at = target; at != source; at = previous[at]) {
    const auto [edge, exists] = boost::edge(previous[at], at, graph);
    if (!exists || previous[at] == at)
      throw ConfigError("/fabric", "no path from " + from + " to " + to, "a connected fabric");
    route.links.push_back(graph[edge]);
  }
  std::reverse(route.links.begin(), route.links.end());
  route.bottleneck = route.links.front().capacity;
  for (const Link& link : route.links) {
    route.latency += link.latency;
    route.bottleneck = std::min(route.bottleneck, link.capacity);
  }
  return route;
}

}  // namespace brink::fabric
