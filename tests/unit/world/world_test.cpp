// The world against known answers. Every case has a process of its own.
#include "sim/world/world.h"

#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/base/error.h"
#include "sim/world/simgrid_api.h"
#include "tests/support/forked.h"

namespace brink::world {
namespace {

using brink::testing::in_child;

struct Arrivals final : EventHandler {
  explicit Arrivals(const IClock& c) : clock(c) {}
  void on_event(std::uint32_t, std::uint64_t data) override {
    if (at.size() <= data) at.resize(data + 1, -1.0);
    at[data] = clock.now().value();
  }
  const IClock& clock;
  std::vector<double> at;
};

/// `pairs` sender-receiver pairs (host 2i to host 2i + 1), each behind its own latency, all
/// through the same one link.
Platform shared_link(double bytes_per_second, const std::vector<double>& latencies) {
  Platform platform;
  platform.links.push_back({"wire", BytesPerSecond(bytes_per_second)});
  for (std::size_t i = 0; i < latencies.size(); ++i) {
    platform.hosts.push_back({"from" + std::to_string(i), FlopsPerSecond(1e12)});
    platform.hosts.push_back({"to" + std::to_string(i), FlopsPerSecond(1e12)});
    platform.routes.push_back({2 * i, 2 * i + 1, {0}});
    platform.latencies.emplace(std::pair{2 * i, 2 * i + 1}, Seconds(latencies[i]));
  }
  return platform;
}

/// 1e-9 relative to the transfer and two units in the last place of the clock.
double tolerance(double expected, double clock) {
  return 1e-9 * expected + 2.0 * (std::nextafter(clock, std::numeric_limits<double>::infinity()) - clock);
}

struct Begin final : EventHandler {
  Begin(World& w, EventHandler& r, double b) : world(w), receiver(r), bytes(b) {}
  void on_event(std::uint32_t, std::uint64_t data) override {
    world.transfer(2 * data, 2 * data + 1, Bytes(bytes), 0, receiver, 0, data);
  }
  World& world;
  EventHandler& receiver;
  double bytes;
};

/// How long one transfer takes that begins at `begin`.
double one_transfer(double bytes_per_second, double latency, double bytes, double begin = 0.0) {
  return in_child([=] {
    const Platform platform = shared_link(bytes_per_second, {latency});
    World world(platform);
    Arrivals arrivals(world);
    Begin start(world, arrivals, bytes);
    world.schedule(Seconds(begin), Priority::arrival, 0, start, 0, 0);
    world.run();
    return std::vector<double>{arrivals.at.at(0) - begin};
  })[0];
}

TEST(world, the_settings_are_pinned) {
  const auto settings = simgrid_api::pinned_settings();
  EXPECT_EQ(settings, (std::vector<std::pair<std::string, std::string>>{
                          {"network/model", "CM02"}, {"network/TCP-gamma", "0"}, {"network/crosstraffic", "0"}}));
}

TEST(world, nvlink_takes_latency_and_bytes_over_bandwidth) {
  const double expected = 1e-6 + 65536.0 / 900e9;  // 1.0728 us; the default model says 13.1
  EXPECT_NEAR(one_transfer(900e9, 1e-6, 65536), expected, tolerance(expected, expected));
}

TEST(world, no_window_caps_a_long_path) {
  const double bytes = 400e9;
  const double expected = 20e-6 + 1.0;  // TCP's window would cap it at 105 GB/s
  EXPECT_NEAR(one_transfer(400e9, 20e-6, bytes), expected, tolerance(expected, expected));
}

TEST(world, one_transfer_is_exact_at_every_size_and_hour) {
  for (const double begin : {0.0, 1.0, 3600.0, 86400.0}) {
    for (const double bytes : {1.0, 512.0, 65536.0, 16e6, 80e9}) {
      const double expected = 1e-6 + bytes / 900e9;
      EXPECT_NEAR(one_transfer(900e9, 1e-6, bytes, begin), expected, tolerance(expected, begin + expected))
          << bytes << " bytes at " << begin << " s";
    }
  }
}

TEST(world, nothing_to_send_takes_the_latency) {
  EXPECT_DOUBLE_EQ(one_transfer(900e9, 1e-6, 0.0), 1e-6);
}

TEST(world, latency_does_not_change_a_flows_share) {
  // SimGrid alone would give the near pair ten times the bandwidth of the far one.
  const double bytes = 1e9, capacity = 100e9;
  const auto at = in_child([=] {
    const Platform platform = shared_link(capacity, {1e-6, 10e-6});
    World world(platform);
    Arrivals arrivals(world);
    Begin start(world, arrivals, bytes);
    world.schedule(Seconds(0.0), Priority::arrival, 0, start, 0, 0);
    world.schedule(Seconds(0.0), Priority::arrival, 0, start, 0, 1);
    world.run();
    return arrivals.at;
  });
  // Alone for 9 us, then half each; the first ends, the second has what is left to itself.
  const double lead = 9e-6 * capacity;
  const double first = 10e-6 + (bytes - lead) / (capacity / 2);
  const double second = 10e-6 + (2 * bytes - lead) / capacity;
  EXPECT_NEAR(at[0], first, 1e-6 * first);
  EXPECT_NEAR(at[1], second, 1e-6 * second);
}

TEST(world, bytes_are_conserved_under_sharing) {
  // A link never idles while a flow waits: n flows end, together, when their bytes are through.
  for (const std::size_t n : {2U, 3U, 7U, 64U}) {
    const auto at = in_child([=] {
      const Platform platform = shared_link(50e9, std::vector<double>(n, 2e-6));
      World world(platform);
      Arrivals arrivals(world);
      Begin start(world, arrivals, 1e8);
      for (std::size_t i = 0; i < n; ++i) world.schedule(Seconds(0.0), Priority::arrival, 0, start, 0, i);
      world.run();
      return arrivals.at;
    });
    const double expected = 2e-6 + static_cast<double>(n) * 1e8 / 50e9;
    for (const double end : at) EXPECT_NEAR(end, expected, tolerance(expected, expected)) << n << " flows";
  }
}

TEST(world, a_pair_without_a_route_is_an_error) {
  EXPECT_THROW(in_child([] {
                 const Platform platform = shared_link(1e9, {1e-6, 1e-6});
                 World world(platform);
                 Arrivals arrivals(world);
                 world.transfer(0, 3, Bytes(1.0), 0, arrivals, 0, 0);
                 return std::vector<double>{};
               }),
               std::runtime_error);
}

struct Log final : EventHandler {
  void on_event(std::uint32_t kind, std::uint64_t data) override { seen.push_back(kind * 100.0 + static_cast<double>(data)); }
  std::vector<double> seen;
};

TEST(world, one_instant_is_ordered_by_priority_component_and_sequence) {
  const auto seen = in_child([] {
    World world(shared_link(1e9, {0.0}));
    Log log;
    // kind = priority, data = component * 10 + order of scheduling
    world.schedule(Seconds(1.0), Priority::observe, 0, log, 5, 0);
    world.schedule(Seconds(1.0), Priority::step_start, 1, log, 4, 10);
    world.schedule(Seconds(1.0), Priority::step_end, 2, log, 1, 20);
    world.schedule(Seconds(1.0), Priority::step_end, 1, log, 1, 10);
    world.schedule(Seconds(1.0), Priority::step_end, 1, log, 1, 11);
    world.schedule(Seconds(1.0), Priority::condition, 9, log, 0, 90);
    world.schedule(Seconds(0.5), Priority::observe, 9, log, 5, 99);
    world.run();
    return log.seen;
  });
  EXPECT_EQ(seen, (std::vector<double>{599, 90, 110, 111, 120, 410, 500}));
}

/// Schedules an event of a higher rank at the present instant and one an hour later.
struct Chain final : EventHandler {
  explicit Chain(World& w) : world(w) {}
  void on_event(std::uint32_t kind, std::uint64_t) override {
    order.push_back(kind);
    if (kind == 3) {
      world.schedule(world.now(), Priority::step_start, 0, *this, 4);
      world.schedule(world.now(), Priority::step_end, 0, *this, 1);
      world.schedule(world.now() + Seconds(3600.0), Priority::observe, 0, *this, 5);
    }
  }
  World& world;
  std::vector<double> order;
};

TEST(world, events_made_within_an_instant_take_their_place_in_it) {
  const auto order = in_child([] {
    World world(shared_link(1e9, {0.0}));
    Chain chain(world);
    world.schedule(Seconds(1.0), Priority::observe, 0, chain, 6);
    world.schedule(Seconds(1.0), Priority::arrival, 0, chain, 3);
    world.run();
    chain.order.push_back(world.now().value());
    return chain.order;
  });
  EXPECT_EQ(order, (std::vector<double>{3, 1, 4, 6, 5, 3601}));
}

/// Ticks every `period` until `left` runs out, and stops the world at zero if asked to.
struct Ticker final : EventHandler {
  Ticker(World& w, double p, std::uint64_t n) : world(w), period(p), left(n) {}
  void on_event(std::uint32_t, std::uint64_t) override {
    if (--left == 0) {
      if (stops) world.stop();
      return;
    }
    world.schedule(world.now() + Seconds(period), Priority::step_end, 1, *this, 0);
  }
  World& world;
  double period;
  std::uint64_t left;
  bool stops = false;
};

TEST(world, stop_drops_what_is_pending) {
  const auto result = in_child([] {
    World world(shared_link(1e9, {0.0}));
    Ticker endless(world, 1.0, 1'000'000), killer(world, 2.5, 4);
    killer.stops = true;
    world.schedule(Seconds(0.0), Priority::step_end, 1, endless, 0);
    world.schedule(Seconds(0.0), Priority::step_end, 2, killer, 0);
    world.run();
    return std::vector<double>{world.now().value(), static_cast<double>(world.events_handled())};
  });
  EXPECT_EQ(result, (std::vector<double>{7.5, 8 + 4}));
}

// Every flow that ends while a later event is pending overtakes its timer. Were the overtaken
// timer answered too, each flow would add a timer to every instant that follows.
TEST(world, flows_leave_no_timers_behind) {
  const auto result = in_child([] {
    const Platform platform = shared_link(1e9, {1e-6});
    World world(platform);
    Ticker ticks(world, 1e-3, 10'000);
    Arrivals arrivals(world);
    Begin start(world, arrivals, 1000.0);
    world.schedule(Seconds(0.0), Priority::step_end, 1, ticks, 0);
    for (int i = 0; i < 200; ++i) world.schedule(Seconds(i * 1e-3 + 1e-4), Priority::arrival, 0, start, 0, 0);
    world.run();
    return std::vector<double>{static_cast<double>(world.timers_set()), static_cast<double>(world.events_handled())};
  });
  EXPECT_DOUBLE_EQ(result[1], 10'000 + 200 * 3);
  EXPECT_LE(result[0], result[1] + 200);
}

TEST(world, timers_are_fast) {
  const auto rate = in_child([] {
    World world(shared_link(1e9, {0.0}));
    std::vector<Ticker> tickers(64, Ticker(world, 1e-3, 4'000));
    for (std::size_t i = 0; i < tickers.size(); ++i) {
      world.schedule(Seconds(1e-5 * static_cast<double>(i)), Priority::step_end, 1, tickers[i], 0);
    }
    const auto begin = std::chrono::steady_clock::now();
    world.run();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    return std::vector<double>{static_cast<double>(world.events_handled()) / took.count()};
  })[0];
  RecordProperty("events_per_second", std::to_string(rate));
  std::printf("[          ] %.2f M events/s, one an instant\n", rate / 1e6);
  EXPECT_GT(rate, 1e5);  // an order below what it does: only an algorithmic slip fails this
}

}  // namespace
}  // namespace brink::world
