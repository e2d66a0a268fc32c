#include "sim/world/event_queue.h"

#include <algorithm>
#include <random>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

namespace brink::world {
namespace {

struct Nobody final : EventHandler {
  void on_event(std::uint32_t, std::uint64_t) override {}
};

struct Item {
  double when;
  Priority priority;
  std::uint32_t component;
};

// Events of one (time, priority, component) keep the order of scheduling; all others come in
// key order whatever the order they were put in.
TEST(event_queue, order_does_not_depend_on_insertion) {
  std::vector<Item> items;
  for (const double when : {0.0, 1.0, 1.0 + 1e-15, 2.0}) {
    for (std::uint8_t p = 0; p <= 5; ++p) {
      for (const std::uint32_t c : {0U, 1U, 255U, EventQueue::component_max}) {
        items.push_back({when, static_cast<Priority>(p), c});
      }
    }
  }
  std::mt19937_64 random(7);
  Nobody nobody;
  for (int repeat = 0; repeat < 200; ++repeat) {
    std::shuffle(items.begin(), items.end(), random);
    EventQueue queue;
    for (std::size_t i = 0; i < items.size(); ++i) {
      queue.push(Seconds(items[i].when), items[i].priority, items[i].component, nobody, 0, i);
    }
    std::tuple<double, Priority, std::uint32_t> last{-1.0, Priority::condition, 0};
    while (!queue.empty()) {
      const Seconds next = queue.next_time();
      const Event event = queue.pop();
      EXPECT_EQ(next, event.when);
      const Item& item = items[event.data];
      const std::tuple key{event.when.value(), item.priority, item.component};
      EXPECT_LT(last, key);
      last = key;
    }
  }
}

TEST(event_queue, equal_keys_keep_the_order_of_scheduling) {
  Nobody nobody;
  EventQueue queue;
  for (std::uint64_t i = 0; i < 1000; ++i) queue.push(Seconds(3.0), Priority::arrival, 9, nobody, 0, i);
  for (std::uint64_t i = 0; i < 1000; ++i) EXPECT_EQ(queue.pop().data, i);
}

TEST(event_queue, gives_back_what_it_was_given) {
  Nobody nobody;
  EventQueue queue;
  queue.push(Seconds(1.5), Priority::observe, 3, nobody, 42, 0xffffffffffffffffULL);
  const Event event = queue.pop();
  EXPECT_EQ(event.handler, &nobody);
  EXPECT_EQ(event.kind, 42U);
  EXPECT_EQ(event.data, 0xffffffffffffffffULL);
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace brink::world
