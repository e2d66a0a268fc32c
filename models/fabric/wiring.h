// Builders: from what a cluster file says to devices and links.
#pragma once

#include <memory>

#include "models/fabric/topology.h"

namespace brink::fabric {

/// The graph of HGX or DGX nodes on the cluster's network, or the one drawn in its file. Every GPU
/// whose memory is not drawn gets one where the HBM bandwidth is known. Nothing is checked here.
[[nodiscard]] std::shared_ptr<const Graph> wire(const Cluster& cluster);

}  // namespace brink::fabric
