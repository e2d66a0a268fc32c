// The routes of one device, found once for each node that it talks to.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/fabric/topology.h"

namespace brink::fabric {

/// Inside a node NVLink comes before PCIe, however short the way over a common PCIe switch (NCCL's order
/// of path types, src/graph/paths.cc). Otherwise least latency first, then fewest links. Where several routes are equal (several spines), the
/// one taken is the device before each meeting point that a hash of (from, to, meeting point)
/// picks: all transfers of a pair take the same way, pairs spread evenly, nothing depends on load.
/// That is how ECMP spreads flows (RFC 2992) and, by destination, InfiniBand's static tables.
class RoutesFrom {
 public:
  /// `topology` must outlive this. Throws ConfigError for an unknown name.
  RoutesFrom(const Topology& topology, const std::string& from);

  /// Throws ConfigError for an unknown name, or when only devices of a third node lead there.
  [[nodiscard]] Route to(const std::string& to);

  /// Calls `visit` for every link on any of the equal routes to `to`, some of them repeatedly.
  template <class Visit>
  void each_link_to(const std::string& to, Visit visit) {
    for (const Graph::edge_descriptor& edge : equal_routes(to)) visit(edge);
  }

 private:
  using Vertex = Graph::vertex_descriptor;
  using Edge = Graph::edge_descriptor;

  // Latency in picoseconds: sums of equal latencies must be equal in whatever order they are added.
  struct Length {
    std::int64_t picoseconds = 0, hops = 0;
    auto operator<=>(const Length&) const = default;
  };
  struct Tree {
    std::vector<Length> distance;
  };

  static Length length_of(const Link& link);
  static Length sum(const Length& a, const Length& b);
  [[nodiscard]] Tree grow(std::int64_t node, bool nvlink_only) const;
  const Tree& tree_to(Vertex target);
  [[nodiscard]] std::vector<Edge> steps_before(const Tree& tree, Vertex at) const;
  [[nodiscard]] std::vector<Edge> equal_routes(const std::string& to);
  void require_reached(const Tree& tree, Vertex target) const;

  const Topology& topology_;
  Vertex source_;
  std::map<std::int64_t, Tree> trees_;  // by the node of the destination
  std::optional<Tree> nvlink_;          // inside the node, over NVLink alone
};

}  // namespace brink::fabric
