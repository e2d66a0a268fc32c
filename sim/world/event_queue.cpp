#include "sim/world/event_queue.h"

#include <algorithm>
#include <cassert>

namespace brink::world {

namespace {

bool later(const Event& a, const Event& b) {
  if (a.when != b.when) return a.when > b.when;
  return a.order > b.order;
}

}  // namespace

void EventQueue::push(Seconds when, Priority priority, std::uint32_t component, EventHandler& handler,
                      std::uint32_t kind, std::uint64_t data) {
  assert(component <= component_max);
  // The sequence wraps after 2^32 events; only events that wait together are compared, and
  // 2^31 of them never wait together, so restarting it when the queue runs empty is enough.
  if (heap_.empty()) sequence_ = 0;
  const std::uint64_t order = (static_cast<std::uint64_t>(priority) << 56U) |
                              (static_cast<std::uint64_t>(component) << 32U) | sequence_++;
  heap_.push_back({when, order, &handler, data, kind});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

Event EventQueue::pop() {
  std::pop_heap(heap_.begin(), heap_.end(), later);
  const Event event = heap_.back();
  heap_.pop_back();
  return event;
}

}  // namespace brink::world
