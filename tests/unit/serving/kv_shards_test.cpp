// Who sends which heads: every receiving rank gets each of its heads exactly once, from a rank that holds it.
#include "sim/serving/kv_shards.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace brink::serving {
namespace {

TEST(kv_shards, equal_groups_send_rank_to_rank) {
  EXPECT_EQ(kv_shards(8, 4, 4), (std::vector<KvShard>{{0, 0, 2}, {1, 1, 2}, {2, 2, 2}, {3, 3, 2}}));
}

TEST(kv_shards, two_ranks_feed_four_and_four_feed_two) {
  EXPECT_EQ(kv_shards(8, 2, 4), (std::vector<KvShard>{{0, 0, 2}, {0, 1, 2}, {1, 2, 2}, {1, 3, 2}}));
  EXPECT_EQ(kv_shards(8, 4, 2), (std::vector<KvShard>{{0, 0, 2}, {1, 0, 2}, {2, 1, 2}, {3, 1, 2}}));
}

// Eight heads on 16 ranks: two copies each, and they take turns.
TEST(kv_shards, copies_take_turns) {
  const auto shards = kv_shards(8, 16, 16);
  std::map<std::int64_t, int> sends;
  for (const KvShard& s : shards) ++sends[s.from];
  EXPECT_EQ(sends.size(), 16U);
  for (const auto& [rank, count] : sends) EXPECT_EQ(count, 1) << rank;
}

TEST(kv_shards, every_rank_gets_its_heads_once) {
  for (const std::int64_t heads : {1, 2, 4, 8, 32}) {
    for (const std::int64_t from : {1, 2, 4, 8, 16, 32}) {
      for (const std::int64_t to : {1, 2, 4, 8, 16, 32}) {
        std::map<std::int64_t, std::int64_t> got;
        for (const KvShard& s : kv_shards(heads, from, to)) {
          got[s.to] += s.heads;
          // The two hold a head in common.
          const auto first = [heads](std::int64_t rank, std::int64_t ranks) { return rank * heads / ranks; };
          const auto last = [&](std::int64_t rank, std::int64_t ranks) { return std::max(first(rank + 1, ranks), first(rank, ranks) + 1); };
          EXPECT_LT(first(s.from, from), last(s.to, to));
          EXPECT_LT(first(s.to, to), last(s.from, from));
        }
        EXPECT_EQ(got.size(), static_cast<std::size_t>(to));
        for (const auto& [rank, count] : got) EXPECT_EQ(count, std::max<std::int64_t>(heads / to, 1)) << rank;
      }
    }
  }
}

}  // namespace
}  // namespace brink::serving
