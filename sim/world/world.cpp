#include "sim/world/world.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "sim/world/simgrid_api.h"

namespace brink::world {

World::World(const Platform& platform) : platform_(platform) {
  simgrid_api::create_engine();
  simgrid_api::build_platform(platform.hosts, platform.links, platform.routes);
}

void World::schedule(Seconds when, Priority priority, std::uint32_t component, EventHandler& handler,
                     std::uint32_t kind, std::uint64_t data) {
  assert(when >= now_);
  queue_.push(when, priority, component, handler, kind, data);
  if (!draining_) arm();
}

// SimGrid's own timers fire ties in arbitrary order, so at most one is kept per instant and
// the order within the instant is the queue's.
void World::arm() {
  if (queue_.empty() || stopped_) return;
  const Seconds next = queue_.next_time();
  if (armed_for_ >= Seconds(0.0) && armed_for_ <= next) return;
  armed_for_ = next;
  ++timers_set_;
  simgrid_api::set_timer(next, [this, next] { drain(next); });
}

// `instant` is the time the timer was set for: SimGrid's clock advances by differences and
// can be an ulp beside it.
void World::drain(Seconds instant) {
  // A timer that an earlier one has overtaken: what it was set for is armed anew when due, and
  // answering both would double the timers of every later instant.
  if (instant != armed_for_) return;
  armed_for_ = Seconds(-1.0);
  now_ = std::max(now_, instant);
  draining_ = true;
  while (!stopped_ && !queue_.empty() && (queue_.next_time() <= now_ || flows_ == 0)) {
    const Event event = queue_.pop();
    // Without a flow SimGrid has nothing to say about what comes next: time runs ahead of its
    // clock, at a fraction of a timer's cost, until the next flow begins.
    now_ = std::max(now_, event.when);
    ++events_handled_;
    event.handler->on_event(event.kind, event.data);
  }
  draining_ = false;
  arm();
}

/// Waits for the path's latency, then lets SimGrid share the links.
class World::PendingFlow final : public EventHandler {
 public:
  PendingFlow(World& world, std::size_t from, std::size_t to, Bytes size, std::uint32_t component,
              EventHandler& receiver, std::uint32_t kind, std::uint64_t data)
      : world_(world), from_(from), to_(to), size_(size), component_(component), receiver_(receiver), kind_(kind),
        data_(data) {}

  void on_event(std::uint32_t, std::uint64_t) override {
    // From now on no event overtakes SimGrid's clock, which first has to come up to the present.
    // One timer starts all flows of an instant, in order: SimGrid's ties are arbitrary.
    ++world_.flows_;
    world_.starting_.push_back(this);
    if (world_.starting_.size() > 1) return;
    simgrid_api::set_timer(world_.now_, [&world = world_] {
      for (PendingFlow* flow : world.starting_) flow->start();
      world.starting_.clear();
    });
  }

  void start() {
    simgrid_api::start_flow(from_, to_, size_, [this] { arrived(); });
  }

 private:
  void arrived() {
    world_.leave(component_, receiver_, kind_, data_);
    delete this;
  }

  World& world_;
  std::size_t from_, to_;
  Bytes size_;
  std::uint32_t component_;
  EventHandler& receiver_;
  std::uint32_t kind_;
  std::uint64_t data_;
};

void World::transfer(std::size_t from_gpu, std::size_t to_gpu, Bytes size, std::uint32_t component,
                     EventHandler& handler, std::uint32_t kind, std::uint64_t data) {
  const Seconds latency = platform_.latency(from_gpu, to_gpu);
  if (from_gpu == to_gpu || size <= Bytes(0.0)) {  // nothing crosses a link
    schedule(now_ + latency, Priority::delivery, component, handler, kind, data);
    return;
  }
  // Owned by itself from here until its last byte has arrived.
  auto* flow = new PendingFlow(*this, from_gpu, to_gpu, size, component, handler, kind, data);
  schedule(now_ + latency, Priority::condition, component, *flow, 0, 0);
}

void World::enter(std::function<void()> start) {
  ++flows_;
  simgrid_api::set_timer(now_, std::move(start));
}

void World::leave(std::uint32_t component, EventHandler& handler, std::uint32_t kind, std::uint64_t data) {
  now_ = std::max(now_, simgrid_api::now());
  --flows_;
  schedule(now_, Priority::delivery, component, handler, kind, data);
}

void World::run() {
  arm();
  simgrid_api::run();
}

}  // namespace brink::world
