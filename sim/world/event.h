// What happens at an instant, and in which order things happen that share one.
#pragma once

#include <cstdint>

#include "models/base/units.h"

namespace brink::world {

/// Order of events that share an instant; the lower one goes first.
enum class Priority : std::uint8_t {
  condition = 0,   // the world changes before anybody acts in it
  step_end = 1,    // results of the past come before new work: freed seats are visible
  delivery = 2,    // tokens and responses reach the client, whose cap then has room
  arrival = 3,     // new work arrives after the old one has left
  step_start = 4,  // and is seen by the step that starts at the same instant
  observe = 5,     // sampling sees the settled state
};

/// Receives events. `kind` and `data` are the receiver's own and come back unchanged.
class EventHandler {
 public:
  virtual ~EventHandler() = default;
  virtual void on_event(std::uint32_t kind, std::uint64_t data) = 0;
};

}  // namespace brink::world
