// A fabric drawn by hand: devices and the cables between them, as a cluster file's
// /fabric/graph lists them.
#pragma once

#include <string>
#include <vector>

#include "models/fabric/device.h"

namespace brink::fabric {

/// A cable is two links, one each way.
struct Cable {
  std::string from, to;
  BytesPerSecond there{0.0}, back{0.0};
  Seconds latency{0.0};
  bool half_duplex = false;  // both ways draw on `there` together
};

struct GraphSpec {
  std::vector<Device> devices;
  std::vector<Cable> cables;
};

}  // namespace brink::fabric
