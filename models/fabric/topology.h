// The cluster as a graph: devices are vertices, each direction of a cable is an edge with its
// own capacity. sim/world turns what flows share into simulated resources one to one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/graph/adjacency_list.hpp>

#include "models/base/units.h"
#include "models/fabric/cluster.h"
#include "models/fabric/device.h"

namespace brink::fabric {

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS, Device, Link>;

struct Route {
  std::vector<Link> links;        // in travel order; empty when source = destination
  Seconds latency{0.0};           // sum
  BytesPerSecond bottleneck{0.0}; // least capacity; zero for an empty route
};

class Topology {
 public:
  /// Builds and checks: connected, positive capacities, no device without both directions.
  explicit Topology(const Cluster& cluster);
  /// Checks a hand-built graph the same way (throws ConfigError at /fabric...).
  explicit Topology(std::shared_ptr<const Graph> graph);

  [[nodiscard]] const Graph& graph() const { return index_->graph(); }
  [[nodiscard]] std::vector<Device> devices() const;
  [[nodiscard]] std::vector<Link> links() const;

  /// Names of the devices of a node. Throw ConfigError at /fabric/devices for one that is not there.
  [[nodiscard]] const std::string& gpu_name(std::int64_t node, std::int64_t index) const;
  [[nodiscard]] const std::string& memory_name(std::int64_t node, std::int64_t index) const;
  [[nodiscard]] const std::string& host_name(std::int64_t node) const;
  /// False where the GPUs' HBM bandwidth was not known, or a drawn graph has no hosts.
  [[nodiscard]] bool has_memories() const { return index_->has(DeviceKind::hbm); }
  [[nodiscard]] bool has_hosts() const { return index_->has(DeviceKind::host); }

  /// Number of the device in graph(). Throws ConfigError for an unknown name, with the nearest.
  [[nodiscard]] std::size_t vertex(const std::string& name) const;

  /// NVLink where it joins the two, else the least-latency route, fewest links among equals, and of those that are still equal one by
  /// a hash of the two names (as ECMP does; see routes.h). Devices of a third node never relay;
  /// GPUs of the two do (NCCL's PXN). Throws ConfigError for an unknown name or no such route.
  [[nodiscard]] Route route(const std::string& from, const std::string& to) const;

  /// Capacity that leaves the given devices towards all the others.
  [[nodiscard]] BytesPerSecond cut(const std::vector<std::string>& inside) const;

 private:
  // Immutable: copies of a topology share it.
  class Index {
   public:
    explicit Index(std::shared_ptr<const Graph> graph);
    [[nodiscard]] const Graph& graph() const { return *graph_; }
    [[nodiscard]] bool has(DeviceKind kind) const;
    [[nodiscard]] const std::string& name(DeviceKind kind, std::int64_t node, std::int64_t index) const;
    [[nodiscard]] std::size_t vertex(const std::string& name) const;

   private:
    using Place = std::pair<std::int64_t, std::int64_t>;
    std::shared_ptr<const Graph> graph_;
    std::unordered_map<std::string, std::size_t> by_name_;
    std::map<DeviceKind, std::map<Place, std::size_t>> by_place_;
  };

  std::shared_ptr<const Index> index_;
};

}  // namespace brink::fabric
