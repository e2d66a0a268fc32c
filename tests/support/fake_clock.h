// A clock without SimGrid for tests that need many runs in one process: the real event queue,
// drained in order.
#pragma once

#include <stdexcept>

#include "sim/world/event_queue.h"
#include "sim/world/i_clock.h"

namespace brink::testing {

class FakeClock final : public world::IClock {
 public:
  [[nodiscard]] Seconds now() const override { return now_; }

  void schedule(Seconds when, world::Priority priority, std::uint32_t component, world::EventHandler& handler,
                std::uint32_t kind, std::uint64_t data) override {
    if (!(when >= now_)) throw std::logic_error("an event was scheduled in the past");
    queue_.push(when, priority, component, handler, kind, data);
  }

  void run() {
    while (!queue_.empty()) {
      const world::Event event = queue_.pop();
      now_ = event.when;
      event.handler->on_event(event.kind, event.data);
    }
  }

 private:
  world::EventQueue queue_;
  Seconds now_;
};

}  // namespace brink::testing
