// The laws of law_checker.h on random clusters: small pools and budgets, both schedulings, with
// and without a client's cap. No right run breaks one, so there are no false failures.
#include <gtest/gtest.h>

#include "tests/support/law_checker.h"
#include "tests/support/random_scene.h"

namespace brink::testing {
namespace {

TEST(property, every_run_keeps_the_laws) {
  std::uint64_t steps = 0;
  for (std::uint64_t seed = 1000; seed < 2000; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    Scene scene = random_scene(seed);
    if (seed % 3 == 0) scene.rig.max_in_flight = 1 + static_cast<std::int64_t>(seed % 7);
    scene.rig.router = policy::router_names()[seed % 3];
    scene.rig.front_end.request_latency = Seconds(unit * static_cast<double>(seed % 2));
    scene.rig.front_end.response_latency = Seconds(unit * static_cast<double>(seed % 5));
    LawChecker laws(scene.rig.engine, scene.requests.size());
    ASSERT_NO_THROW(run_fake(scene.rig, list_source(scene.requests), laws); laws.finish());
    EXPECT_EQ(laws.ends(), scene.requests.size());
    steps += laws.steps();
  }
  EXPECT_GT(steps, 100'000U);
}

// Seat time told from the steps and from the requests, where batches hold all that run.
TEST(property, utilisation_law) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    Scene scene = random_scene(seed);
    scene.rig.engine.async_scheduling = false;
    scene.rig.engine.max_num_batched_tokens = 10'000;
    scene.rig.engine.kv_blocks = 1 << 20;
    LawChecker laws(scene.rig.engine, scene.requests.size());
    ASSERT_NO_THROW(run_fake(scene.rig, list_source(scene.requests), laws); laws.finish(); laws.utilisation_law());
  }
}

// A client with N requests in flight never gets more than N over the shortest stay (Little).
TEST(property, population_bounds_throughput) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    Scene scene = random_scene(seed);
    for (auto& r : scene.requests) r.arrival = Seconds(0.0);
    const std::int64_t cap = 1 + static_cast<std::int64_t>(seed % 5);
    scene.rig.max_in_flight = cap;
    const Recording got = run_fake(scene.rig, scene.requests);
    double shortest = 1e300, end = 0.0;
    for (const auto& r : got.requests) {
      shortest = std::min(shortest, (r.finish - r.sent).value());
      end = std::max(end, r.finish.value());
    }
    EXPECT_LE(static_cast<double>(got.requests.size()) / end, static_cast<double>(cap) / shortest * (1.0 + 1e-12));
    for (const auto& [at, count] : got.in_flight) EXPECT_LE(count, cap) << at.value();
  }
}

}  // namespace
}  // namespace brink::testing
