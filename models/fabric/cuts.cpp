#include "models/fabric/cuts.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>

#include <boost/graph/push_relabel_max_flow.hpp>

#include "models/fabric/routes.h"

namespace brink::fabric {
namespace {

// Capacities in whole bytes a second: push-relabel is exact on integers.
using Traits = boost::adjacency_list_traits<boost::vecS, boost::vecS, boost::directedS>;
struct FlowLink {
  std::int64_t capacity = 0, residual = 0;
  Traits::edge_descriptor reverse;
};
using FlowGraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property, FlowLink>;
using Vertices = std::vector<std::size_t>;

constexpr std::size_t all_splits_max = 10;

/// The links that count, ready for one max-flow after another between sets of devices.
class FlowNetwork {
 public:
  explicit FlowNetwork(std::size_t devices) : source_(devices), sink_(devices + 1) {}

  void add(std::size_t from, std::size_t to, BytesPerSecond capacity) {
    links_.push_back({from, to, std::llround(capacity.value())});
    total_ += links_.back().capacity;
  }

  /// Least capacity whose removal parts all `from` from all `to`.
  double min_cut(const Vertices& from, const Vertices& to) {
    FlowGraph graph(sink_ + 1);
    for (const Arc& link : links_) join(graph, link);
    for (const std::size_t v : from) join(graph, {source_, v, total_});
    for (const std::size_t v : to) join(graph, {v, sink_, total_});
    const std::int64_t flow = boost::push_relabel_max_flow(
        graph, source_, sink_,
        boost::capacity_map(boost::get(&FlowLink::capacity, graph))
            .residual_capacity_map(boost::get(&FlowLink::residual, graph))
            .reverse_edge_map(boost::get(&FlowLink::reverse, graph))
            .vertex_index_map(boost::get(boost::vertex_index, graph)));
    mark_source_side(graph);
    return static_cast<double>(flow);
  }

  /// Of the last min_cut.
  [[nodiscard]] bool on_source_side(std::size_t vertex) const { return source_side_[vertex]; }

 private:
  struct Arc {
    std::size_t from, to;
    std::int64_t capacity;
  };

  static void join(FlowGraph& graph, const Arc& arc) {
    const auto edge = boost::add_edge(arc.from, arc.to, graph).first;
    const auto back = boost::add_edge(arc.to, arc.from, graph).first;
    graph[edge] = {arc.capacity, 0, back};
    graph[back] = {0, 0, edge};
  }

  void mark_source_side(const FlowGraph& graph) {
    source_side_.assign(sink_ + 1, false);
    Vertices open{source_};
    source_side_[source_] = true;
    while (!open.empty()) {
      const std::size_t at = open.back();
      open.pop_back();
      for (auto [edge, end] = boost::out_edges(at, graph); edge != end; ++edge) {
        const std::size_t next = boost::target(*edge, graph);
        if (graph[*edge].residual <= 0 || source_side_[next]) continue;
        source_side_[next] = true;
        open.push_back(next);
      }
    }
  }

  std::size_t source_, sink_;
  std::vector<Arc> links_;
  std::int64_t total_ = 0;
  std::vector<bool> source_side_;
};

FlowNetwork whole(const Topology& topology) {
  const Graph& graph = topology.graph();
  FlowNetwork network(boost::num_vertices(graph));
  for (auto [edge, end] = boost::edges(graph); edge != end; ++edge)
    network.add(boost::source(*edge, graph), boost::target(*edge, graph), graph[*edge].capacity);
  return network;
}

FlowNetwork on_routes(const Topology& topology, const std::vector<std::string>& gpus) {
  const Graph& graph = topology.graph();
  std::set<std::pair<std::size_t, std::size_t>> used;
  for (const std::string& from : gpus) {
    RoutesFrom routes(topology, from);
    for (const std::string& to : gpus) {
      routes.each_link_to(to, [&](const auto& edge) { used.insert({boost::source(edge, graph), boost::target(edge, graph)}); });
    }
  }
  FlowNetwork network(boost::num_vertices(graph));
  for (const auto& [from, to] : used) network.add(from, to, graph[boost::edge(from, to, graph).first].capacity);
  return network;
}

Vertices vertices_of(const Topology& topology, const std::vector<std::string>& names) {
  Vertices out;
  for (const std::string& name : names) out.push_back(topology.vertex(name));
  return out;
}

/// The least cut between halves of `parts`, each a set of vertices.
double narrowest_halves(FlowNetwork& network, const std::vector<Vertices>& parts) {
  const std::size_t count = parts.size(), half = count / 2;
  std::vector<bool> first(count, false);
  std::fill(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(half), true);
  double least = std::numeric_limits<double>::infinity();
  do {
    Vertices from, to;
    for (std::size_t i = 0; i < count; ++i) {
      Vertices& side = first[i] ? from : to;
      side.insert(side.end(), parts[i].begin(), parts[i].end());
    }
    least = std::min({least, network.min_cut(from, to), network.min_cut(to, from)});
  } while (count <= all_splits_max && std::prev_permutation(first.begin(), first.end()));
  return least;
}

}  // namespace

std::vector<std::string> gpu_names(const Topology& topology, const std::vector<GpuPlace>& places) {
  std::vector<std::string> names;
  for (const GpuPlace& place : places) names.push_back(topology.gpu_name(place.node, place.index));
  return names;
}

Cut narrowest_cut(const Topology& topology, const std::vector<std::string>& gpus) {
  Cut cut;
  if (gpus.size() < 2) return cut;
  FlowNetwork network = on_routes(topology, gpus);
  const Vertices vertices = vertices_of(topology, gpus);
  double least = std::numeric_limits<double>::infinity();
  // Every split has the first GPU on one side and some other one on the other.
  for (std::size_t other = 1; other < vertices.size(); ++other) {
    for (const bool forth : {true, false}) {
      const Vertices a{vertices[0]}, b{vertices[other]};
      const double flow = forth ? network.min_cut(a, b) : network.min_cut(b, a);
      if (flow >= least) continue;
      least = flow;
      std::vector<std::string> sides[2];
      for (std::size_t i = 0; i < gpus.size(); ++i) sides[network.on_source_side(vertices[i]) ? 0 : 1].push_back(gpus[i]);
      cut.smaller_side = sides[0].size() <= sides[1].size() ? sides[0] : sides[1];
    }
  }
  cut.capacity = BytesPerSecond(least);
  return cut;
}

BytesPerSecond bisection(const Topology& topology, const Cluster& cluster) {
  if (cluster.gpus() < 2) return BytesPerSecond(0.0);
  std::vector<Vertices> parts;
  for (std::int64_t node = 0; node < cluster.nodes; ++node) {
    Vertices gpus;
    for (std::int64_t index = 0; index < cluster.gpus_per_node; ++index)
      gpus.push_back(topology.vertex(topology.gpu_name(node, index)));
    parts.push_back(std::move(gpus));
  }
  if (cluster.nodes > 1) {
    FlowNetwork network = whole(topology);
    return BytesPerSecond(narrowest_halves(network, parts));
  }
  std::vector<std::string> names;
  for (std::int64_t index = 0; index < cluster.gpus_per_node; ++index) names.push_back(topology.gpu_name(0, index));
  FlowNetwork network = on_routes(topology, names);
  std::vector<Vertices> singles;
  for (const std::size_t vertex : parts[0]) singles.push_back({vertex});
  return BytesPerSecond(narrowest_halves(network, singles));
}

void check_routes(const Topology& topology, const std::vector<std::vector<GpuPlace>>& groups) {
  for (const auto& group : groups) {
    const std::vector<std::string> names = gpu_names(topology, group);
    for (const std::string& from : names) {
      RoutesFrom routes(topology, from);
      for (const std::string& to : names) (void)routes.to(to);
    }
  }
}

}  // namespace brink::fabric
