// The simulated world of one run: SimGrid's clock and network behind Brink's own queue.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "models/base/units.h"
#include "sim/world/event_queue.h"
#include "sim/world/i_clock.h"
#include "sim/world/i_network.h"
#include "sim/world/platform.h"

namespace brink::world {

/// One per process: SimGrid allows a single engine. A run is a process of its own.
class World final : public IClock, public INetwork {
 public:
  explicit World(const Platform& platform);

  [[nodiscard]] Seconds now() const override { return now_; }
  void schedule(Seconds when, Priority priority, std::uint32_t component, EventHandler& handler,
                std::uint32_t kind, std::uint64_t data = 0) override;

  /// Sends `size` bytes between two GPUs of the platform. The path's latency passes first,
  /// then the flow shares every link of its route max-min with the others, and `handler`
  /// gets (kind, data) when the last byte is there. A GPU's transfer to itself and one of no
  /// bytes take the latency alone.
  void transfer(std::size_t from_gpu, std::size_t to_gpu, Bytes size, std::uint32_t component,
                EventHandler& handler, std::uint32_t kind, std::uint64_t data = 0) override;

  /// For what runs on SimGrid beside this class's own flows: `start` is called from SimGrid's main loop when its clock
  /// has come up to now(), and time no longer runs ahead of it until the matching leave().
  void enter(std::function<void()> start);
  /// Called from within SimGrid when that has ended: `handler` gets (kind, data) at this instant.
  void leave(std::uint32_t component, EventHandler& handler, std::uint32_t kind, std::uint64_t data);

  /// Runs until nothing is left to happen, or until stop().
  void run();
  /// Drops every pending event: run() returns after the event being handled.
  void stop() { stopped_ = true; }

  /// Bytes of all flows, from anyone, that ever began to cross a link, by index into Platform::links.
  [[nodiscard]] Bytes link_bytes(std::size_t link) const { return simgrid_api::link_bytes(link); }
  /// What crosses it at this instant.
  [[nodiscard]] BytesPerSecond link_rate(std::size_t link) const { return simgrid_api::link_rate(link); }

  [[nodiscard]] std::uint64_t events_handled() const { return events_handled_; }
  /// SimGrid timers used for events: at most one an instant while flows are under way, and one
  /// more for each flow that ends.
  [[nodiscard]] std::uint64_t timers_set() const { return timers_set_; }

 private:
  class PendingFlow;

  void drain(Seconds instant);
  void arm();

  EventQueue queue_;
  Seconds now_;
  Seconds armed_for_ = Seconds(-1.0);  // the earliest outstanding SimGrid timer, < 0: none
  std::uint64_t flows_ = 0;             // begun and not yet arrived
  std::vector<PendingFlow*> starting_;  // of them, those that wait for SimGrid's clock
  bool draining_ = false;
  bool stopped_ = false;
  std::uint64_t events_handled_ = 0, timers_set_ = 0;
  const Platform& platform_;
};

}  // namespace brink::world
