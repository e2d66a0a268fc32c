// The topology as data, for pictures and other programs.
#pragma once

#include "models/base/json.h"
#include "models/fabric/topology.h"

namespace brink::fabric {

/// {"devices": [...], "links": [...]} as a cluster file's /fabric/graph has them, one entry a cable:
/// what is written here can be read there.
[[nodiscard]] Json topology_json(const Topology& topology);

}  // namespace brink::fabric
