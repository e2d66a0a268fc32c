// The world's clock as the rest of the simulator sees it: simulated time and events.
#pragma once

#include <cstdint>

#include "models/base/units.h"
#include "sim/world/event.h"

namespace brink::world {

class IClock {
 public:
  virtual ~IClock() = default;

  [[nodiscard]] virtual Seconds now() const = 0;

  /// Delivers (kind, data) to `handler` at `when` (>= now, asserted). Events are ordered by
  /// (time, priority, component, order of scheduling): `component` is a stable number of the
  /// sender, so that ties never depend on how the simulation was put together.
  virtual void schedule(Seconds when, Priority priority, std::uint32_t component, EventHandler& handler,
                        std::uint32_t kind, std::uint64_t data = 0) = 0;
};

}  // namespace brink::world
