#include "sim/policy/tenant_router.h"

#include <vector>

#include <gtest/gtest.h>

#include "models/base/error.h"

namespace brink::policy {
namespace {

std::vector<std::size_t> counts(std::size_t replicas, const std::vector<double>& shares) {
  std::vector<std::size_t> out;
  std::size_t first = 0;
  for (const ReplicaRange& range : assign_replicas(replicas, shares)) {
    EXPECT_EQ(range.first, first) << "ranges follow one another";
    first += range.count;
    out.push_back(range.count);
  }
  EXPECT_EQ(first, replicas) << "every replica is somebody's";
  return out;
}

using Counts = std::vector<std::size_t>;

TEST(assign_replicas, in_proportion_to_the_shares) {
  EXPECT_EQ(counts(4, {1.0}), (Counts{4}));
  EXPECT_EQ(counts(4, {0.5, 0.5}), (Counts{2, 2}));
  EXPECT_EQ(counts(10, {0.9, 0.1}), (Counts{9, 1}));
  EXPECT_EQ(counts(8, {0.25, 0.5, 0.25}), (Counts{2, 4, 2}));
}

TEST(assign_replicas, everybody_has_one_and_the_rest_goes_by_the_largest_remainder) {
  EXPECT_EQ(counts(4, {0.97, 0.01, 0.01, 0.01}), (Counts{1, 1, 1, 1}));
  EXPECT_EQ(counts(6, {0.97, 0.01, 0.01, 0.01}), (Counts{3, 1, 1, 1}));
  EXPECT_EQ(counts(5, {0.5, 0.5}), (Counts{3, 2})) << "a tie goes to the first";
  EXPECT_EQ(counts(7, {0.30, 0.45, 0.25}), (Counts{2, 3, 2}));  // 2.1, 3.15, 1.75
}

TEST(assign_replicas, too_few_are_an_error) {
  const std::vector<double> shares = {0.4, 0.3, 0.3};
  try {
    (void)assign_replicas(2, shares);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "2 replicas cannot be split among 3 tenants: each needs one of its own");
  }
}

TEST(tenant_router, each_tenant_sees_only_its_own_replicas) {
  const std::vector<double> shares = {0.5, 0.25, 0.25};
  const auto router = make_tenant_router("vllm_score", 1, assign_replicas(4, shares));
  // The idle replica is tenant 2's: the others may not have it.
  const std::vector<ReplicaView> views = {{9, 9, 0, 100}, {5, 5, 0, 100}, {7, 7, 0, 100}, {0, 0, 0, 100}};
  EXPECT_EQ(router->route({RequestId{0}, 10, 0}, views), 1U);
  EXPECT_EQ(router->route({RequestId{1}, 10, 1}, views), 2U);
  EXPECT_EQ(router->route({RequestId{2}, 10, 2}, views), 3U);
}

TEST(tenant_router, turns_are_counted_by_tenant) {
  const std::vector<double> shares = {0.5, 0.5};
  const auto router = make_tenant_router("round_robin", 1, assign_replicas(4, shares));
  const std::vector<ReplicaView> views(4);
  std::vector<std::size_t> first, second;
  for (std::uint64_t i = 0; i < 6; ++i) {
    first.push_back(router->route({RequestId{2 * i}, 10, 0}, views));
    second.push_back(router->route({RequestId{2 * i + 1}, 10, 1}, views));
  }
  EXPECT_EQ(first, (std::vector<std::size_t>{0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(second, (std::vector<std::size_t>{2, 3, 2, 3, 2, 3}));
}

}  // namespace
}  // namespace brink::policy
