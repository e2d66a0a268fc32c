// The one queue of everything that will happen: a binary heap in the order
// (time, priority, component, sequence), so that ties never depend on insertion history.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/world/event.h"

namespace brink::world {

struct Event {
  Seconds when;
  // priority (8 bits), component (24 bits), sequence (32 low bits of a running count): one
  // comparison decides a tie in time.
  std::uint64_t order = 0;
  EventHandler* handler = nullptr;
  std::uint64_t data = 0;
  std::uint32_t kind = 0;
};

class EventQueue {
 public:
  static constexpr std::uint32_t component_max = (1U << 24) - 1;

  void push(Seconds when, Priority priority, std::uint32_t component, EventHandler& handler, std::uint32_t kind,
            std::uint64_t data);
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }
  [[nodiscard]] Seconds next_time() const { return heap_.front().when; }
  Event pop();

 private:
  std::vector<Event> heap_;
  std::uint32_t sequence_ = 0;
};

}  // namespace brink::world
