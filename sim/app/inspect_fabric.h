// The fabric's part of `brink-sim inspect`: what it is made of, how much gets through it.
#pragma once

#include <string>
#include <vector>

#include "models/base/json.h"
#include "models/fabric/cluster.h"
#include "models/fabric/placement.h"

namespace brink::app {

/// A cluster file, or nothing of the kind: it has GPUs and nodes, and neither model nor workload.
[[nodiscard]] bool is_cluster_file(const Json& json);

/// Reads a cluster file and its GPU's HBM bandwidth; `settings` as in a scenario. Throws ConfigError.
[[nodiscard]] fabric::Cluster load_inspected_cluster(const std::string& path, const std::vector<std::string>& settings);

/// Counts, routes, bisection ("fabric"), devices and cables by kind.
void add_fabric_facts(Json& out, const fabric::Cluster& cluster);

/// Narrowest cut of each replica's group of ranks; of the first 32 replicas.
[[nodiscard]] Json group_cuts(const fabric::Cluster& cluster, const std::vector<std::vector<fabric::GpuPlace>>& replicas);

/// Everything that can be said of a cluster alone: the above, and the narrowest cut of a replica by
/// tensor-parallel size and placement.
[[nodiscard]] Json inspect_cluster(const fabric::Cluster& cluster);

/// Devices and links, one by one ("topology"): what a picture needs.
void add_topology(Json& out, const fabric::Cluster& cluster);

/// These facts as text for a terminal.
[[nodiscard]] std::string fabric_text(const Json& facts);

}  // namespace brink::app
