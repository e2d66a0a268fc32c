// Role: moves bytes between GPUs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "models/base/units.h"
#include "sim/world/event.h"

namespace brink::world {

class INetwork {
 public:
  virtual ~INetwork() = default;

  /// Sends `size` bytes between two GPUs (indices into Platform::hosts). `handler` gets (kind, data) when the last
  /// byte is there.
  virtual void transfer(std::size_t from_gpu, std::size_t to_gpu, Bytes size, std::uint32_t component,
                        EventHandler& handler, std::uint32_t kind, std::uint64_t data = 0) = 0;
};

}  // namespace brink::world
