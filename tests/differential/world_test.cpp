// The world against independent solutions: serving on SimGrid's clock against the bare event
// queue, bit by bit, and flows against a fluid max-min model.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/forked.h"
#include "tests/support/random_scene.h"

namespace brink::testing {
namespace {

std::vector<double> flattened(const Recording& recording) {
  std::vector<double> all;
  for (const auto& r : recording.requests) {
    for (const Seconds t : {r.sent, r.queued, r.scheduled, r.first_token, r.finish}) all.push_back(t.value());
    all.push_back(static_cast<double>(r.id.value));
    all.push_back(static_cast<double>(r.preemptions));
  }
  for (const auto& s : recording.steps) {
    all.push_back(s.end.value());
    all.push_back(static_cast<double>(s.kv_blocks_used));
    all.push_back(static_cast<double>(s.replica.value));
  }
  return all;
}

TEST(differential, serving_on_simgrid_is_serving_on_the_queue) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Scene scene = random_scene(seed, 0.1);  // not a power of two: rounding must agree too
    const auto world = in_child([&] {
      Recording recording;
      run_world(scene.rig, list_source(scene.requests), recording);
      return flattened(recording);
    });
    EXPECT_EQ(world, flattened(run_fake(scene.rig, scene.requests))) << "seed " << seed;
  }
}

struct Flow {
  double start, bytes;  // start: after the latency
  std::vector<std::size_t> links;
};

/// Ends of the flows when links are shared max-min at every instant (progressive filling;
/// Bertsekas & Gallager, Data Networks, section 6.5.2).
std::vector<double> fluid(const std::vector<double>& capacities, const std::vector<Flow>& flows) {
  const double never = std::numeric_limits<double>::infinity();
  std::vector<double> left, ends(flows.size(), never), rate(flows.size());
  for (const Flow& f : flows) left.push_back(f.bytes);
  double now = 0.0;
  for (;;) {
    std::vector<std::size_t> active;
    double next = never;
    for (std::size_t i = 0; i < flows.size(); ++i) {
      if (ends[i] < never) continue;
      if (flows[i].start <= now) active.push_back(i);
      else next = std::min(next, flows[i].start);
    }
    if (active.empty() && next == never) return ends;
    auto room = capacities;
    auto open = active;
    while (!open.empty()) {
      std::vector<int> users(room.size(), 0);
      for (const auto i : open) for (const auto l : flows[i].links) ++users[l];
      double share = never;
      std::size_t tight = 0;
      for (std::size_t l = 0; l < room.size(); ++l) {
        if (users[l] > 0 && room[l] / users[l] < share) { share = room[l] / users[l]; tight = l; }
      }
      std::vector<std::size_t> rest;
      for (const auto i : open) {
        if (std::find(flows[i].links.begin(), flows[i].links.end(), tight) == flows[i].links.end()) { rest.push_back(i); continue; }
        rate[i] = share;
        for (const auto l : flows[i].links) room[l] -= share;
      }
      open = rest;
    }
    std::size_t first = flows.size();
    for (const auto i : active) {
      if (now + left[i] / rate[i] < next) { next = now + left[i] / rate[i]; first = i; }
    }
    for (const auto i : active) left[i] -= rate[i] * (next - now);
    if (first < flows.size()) ends[first] = next;
    for (const auto i : active) if (left[i] < 1e-7 && ends[i] == never) ends[i] = next;
    now = next;
  }
}

struct Starter final : world::EventHandler {
  Starter(world::World& w, const std::vector<double>& b) : world(w), bytes(b), ends(b.size(), -1.0) {}
  void on_event(std::uint32_t kind, std::uint64_t i) override {
    if (kind == 0) world.transfer(2 * i, 2 * i + 1, Bytes(bytes[i]), 0, *this, 1, i);
    else ends[i] = world.now().value();
  }
  world::World& world;
  const std::vector<double>& bytes;
  std::vector<double> ends;
};

TEST(differential, flows_share_links_max_min) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<double> capacities, bytes, begins;
    world::Platform platform;
    for (std::int64_t l = pick(random, 1, 6); l > 0; --l) {
      capacities.push_back(static_cast<double>(pick(random, 10, 900)) * 1e9);
      platform.links.push_back({"link" + std::to_string(l), BytesPerSecond(capacities.back())});
    }
    std::vector<Flow> flows;
    const auto count = static_cast<std::size_t>(pick(random, 2, 20));
    for (std::size_t i = 0; i < count; ++i) {
      platform.hosts.push_back({"from" + std::to_string(i), FlopsPerSecond(1e12)});
      platform.hosts.push_back({"to" + std::to_string(i), FlopsPerSecond(1e12)});
      world::simgrid_api::RouteSpec route{2 * i, 2 * i + 1, {}};
      for (std::size_t l = 0; l < capacities.size(); ++l) if (random() % 2 == 0) route.links.push_back(l);
      if (route.links.empty()) route.links.push_back(0);
      const double latency = static_cast<double>(pick(random, 1, 20)) * 1e-6;
      platform.routes.push_back(route);
      platform.latencies.emplace(std::pair{2 * i, 2 * i + 1}, Seconds(latency));
      bytes.push_back(static_cast<double>(pick(random, 1, 1'000'000'000)));
      begins.push_back(static_cast<double>(pick(random, 0, 5)) * 1e-3);
      flows.push_back({begins.back() + latency, bytes.back(), route.links});
    }
    const auto ends = in_child([&] {
      world::World world(platform);
      Starter starter(world, bytes);
      for (std::size_t i = 0; i < count; ++i) world.schedule(Seconds(begins[i]), world::Priority::arrival, 0, starter, 0, i);
      world.run();
      return starter.ends;
    });
    const auto expected = fluid(capacities, flows);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_NEAR(ends[i] - begins[i], expected[i] - begins[i], 1e-6 * (expected[i] - begins[i]) + 1e-12) << "seed " << seed << ", flow " << i;
    }
  }
}

}  // namespace
}  // namespace brink::testing
