#include "sim/policy/i_router.h"

#include <vector>

#include <gtest/gtest.h>

namespace brink::policy {
namespace {

std::vector<ReplicaView> loads(const std::vector<std::pair<std::int64_t, std::int64_t>>& waiting_running) {
  std::vector<ReplicaView> views;
  for (const auto& [waiting, running] : waiting_running) views.push_back({waiting, running, 0, 100});
  return views;
}

TEST(router, table_lists_every_router_and_makes_it) {
  EXPECT_EQ(router_names(), (std::vector<std::string>{"round_robin", "vllm_score", "power_of_two"}));
  for (const auto& name : router_names()) {
    const auto router = make_router(name, 1);
    ASSERT_NE(router, nullptr);
    EXPECT_EQ(router->route({RequestId{0}, 10}, loads({{3, 4}})), 0U) << name << " with a single replica";
  }
}

TEST(router, round_robin_ignores_loads) {
  const auto router = make_round_robin(1);
  const auto views = loads({{100, 100}, {0, 0}, {5, 5}});
  for (std::uint64_t i = 0; i < 30; ++i) EXPECT_EQ(router->route({RequestId{i}, 10}, views), i % 3);
}

TEST(router, vllm_score_is_four_waiting_and_running) {
  const auto router = make_vllm_score(1);
  const RoutedRequest request{RequestId{0}, 10};
  EXPECT_EQ(router->route(request, loads({{1, 0}, {0, 3}})), 1U);
  EXPECT_EQ(router->route(request, loads({{1, 0}, {0, 5}})), 0U);
  EXPECT_EQ(router->route(request, loads({{1, 0}, {0, 4}})), 0U) << "a tie goes to the first";
  EXPECT_EQ(router->route(request, loads({{2, 1}, {0, 9}, {1, 5}, {0, 9}})), 0U) << "a tie of four";
  EXPECT_EQ(router->route(request, loads({{2, 1}, {0, 9}, {1, 4}, {0, 9}})), 2U);
}

TEST(router, power_of_two_takes_the_less_loaded_of_its_pair) {
  const auto router = make_power_of_two(1);
  const auto views = loads({{9, 0}, {0, 1}});
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(router->route({RequestId{i}, 10}, views), 1U);
}

// With one replica idle and the others equally loaded it wins every pair it is in: n - 1 of
// n (n - 1)/2, so 2/n of all; the others share the rest evenly. 20000 draws: 5 standard
// deviations are 0.018, a right router fails with probability 6e-7 a replica.
TEST(router, power_of_two_pairs_are_equally_likely) {
  const auto router = make_power_of_two(3);
  const auto views = loads({{1, 1}, {1, 1}, {0, 0}, {1, 1}, {1, 1}});
  std::vector<double> share(5, 0.0);
  const int n = 20'000;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(n); ++i) share[router->route({RequestId{i}, 10}, views)] += 1.0 / n;
  EXPECT_NEAR(share[2], 0.4, 0.018);
  for (const std::size_t other : {0U, 1U, 3U, 4U}) EXPECT_NEAR(share[other], 0.15, 0.018);
}

TEST(router, power_of_two_depends_on_seed_and_request_alone) {
  const auto views = loads({{1, 1}, {1, 1}, {1, 1}, {1, 1}});
  const auto one = make_power_of_two(7), two = make_power_of_two(7), other = make_power_of_two(8);
  int different = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto choice = one->route({RequestId{i}, 10}, views);
    EXPECT_EQ(two->route({RequestId{i}, 99}, views), choice);
    if (other->route({RequestId{i}, 10}, views) != choice) ++different;
  }
  EXPECT_EQ(one->route({RequestId{0}, 10}, views), two->route({RequestId{0}, 10}, views)) << "no state between calls";
  EXPECT_GT(different, 50);
}

}  // namespace
}  // namespace brink::policy
