// What a fabric is made of: devices, and links between them.
#pragma once

#include <cstdint>
#include <string>

#include "models/base/units.h"

namespace brink::fabric {

enum class DeviceKind { gpu, hbm, nvswitch, pcie_switch, nic, host, leaf, spine };

/// "gpu", "nvswitch", ...: the names a free-form graph uses.
[[nodiscard]] const char* kind_name(DeviceKind kind);

struct Device {
  std::string name;        // "n0.gpu3", "n0.nvswitch", "leaf2", "spine"
  DeviceKind kind = DeviceKind::gpu;
  std::int64_t node = -1;  // -1: not inside a node
  std::int64_t index = 0;  // gpu, nic or rail number inside its node or unit
  std::int64_t chips = 1;  // parts behind one device, where traffic stripes over all of them
};

/// One direction of one cable.
struct Link {
  std::string name;                // "n0.gpu3->n0.nvswitch"
  std::string from, to;            // device names
  BytesPerSecond capacity{0.0};
  Seconds latency{0.0};
  /// Name of the medium that both directions draw on together (HBM reads and writes); empty: this
  /// direction has its capacity to itself.
  std::string medium = {};

  /// Name of what is shared by flows: the medium, else the link itself.
  [[nodiscard]] const std::string& resource() const { return medium.empty() ? name : medium; }
};

}  // namespace brink::fabric
