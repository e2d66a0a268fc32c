// The reader of a free-form fabric.
#pragma once

#include "models/base/object_reader.h"
#include "models/fabric/cluster.h"
#include "models/fabric/graph_spec.h"

namespace brink::fabric {

/// Reads {"devices": [{"name", "kind", "node", "index", "chips"}], "links": [{"from", "to",
/// "gb_per_s", "back_gb_per_s", "latency_us", "duplex"}]} into cluster.graph and derives the
/// cluster's nvlink, pcie and network from it. Every GPU of the cluster must be there once.
/// Throws ConfigError with the pointer of the device or link.
void read_graph(ObjectReader reader, Cluster& cluster);

}  // namespace brink::fabric
