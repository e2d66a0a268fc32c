#include "models/gpu/memory_hierarchy.h"

#include <gtest/gtest.h>

namespace brink::gpu {
namespace {

constexpr double gb = 1e9;

// Keys and values of one token over all layers, bf16.
Bytes token_kv(double layers, double kv_heads) { return Bytes(layers * kv_heads * 128.0 * 2.0 * 2.0); }

// A kernel as long as its bytes take from HBM, and its launch.
Seconds measured(const AttentionTraffic& traffic) {
  return microseconds(10.4) + traffic.kv / static_cast<double>(traffic.layers) / MemoryHierarchy{}.cache.memory_rate;
}

AttentionTraffic traffic_of(Bytes weights, std::int64_t layers, std::int64_t kv_heads, std::int64_t sequences, double context) {
  AttentionTraffic traffic;
  traffic.weights = weights;
  traffic.layers = layers;
  traffic.sequences = sequences;
  traffic.kv = token_kv(static_cast<double>(layers), static_cast<double>(kv_heads)) * (context * static_cast<double>(sequences));
  traffic.span = Bytes(60 * gb);
  return traffic;
}

TEST(CacheModel, HalfOfTheHitsAreLeftAtTheCapacity) {
  const CacheModel cache;
  EXPECT_DOUBLE_EQ(cache.hit_share(cache.capacity), 0.5);
  EXPECT_GT(cache.hit_share(Bytes(20e6)), 0.98);
  EXPECT_GT(cache.hit_share(Bytes(32e6)), 0.75);  // timings repeat from L2 here
  EXPECT_LT(cache.hit_share(Bytes(64e6)), 0.1);   // and from HBM here
  EXPECT_EQ(cache.hit_share(Bytes(1 * gb)), 0.0);
  EXPECT_EQ(cache.hit_share(Bytes(0)), 1.0);
}

// 70B on eight ranks: the weights of 80 layers pass between two uses of a block.
TEST(AttentionMemoryFactor, LargeModelsReadKvFromHbmAtAnyBatch) {
  for (const std::int64_t sequences : {1, 4, 32, 256}) {
    for (const double context : {16.0, 500.0, 8000.0}) {
      AttentionTraffic traffic = traffic_of(Bytes(17.6 * gb), 80, 1, sequences, context);
      traffic.block = Bytes(16 * 128 * 2);
      EXPECT_NEAR(attention_memory_factor(traffic, {}, measured(traffic)), 1.0, 0.005);
    }
  }
}

TEST(AttentionMemoryFactor, SmallModelWithKvBelowL2) {
  const AttentionTraffic small = traffic_of(Bytes(15e6), 6, 4, 8, 128);
  EXPECT_GT(kv_cache_share(small, {}), 0.9);
  const AttentionTraffic larger = traffic_of(Bytes(15e6), 6, 4, 32, 400);
  EXPECT_LT(kv_cache_share(larger, {}), 0.01);
  const AttentionTraffic busy = traffic_of(Bytes(1e6), 1, 4, 8, 1000);
  EXPECT_LT(attention_memory_factor(busy, {}, measured(busy)), 0.95);
}

TEST(AttentionMemoryFactor, SharedPrefixIsReadOnceWhereItFits) {
  AttentionTraffic traffic = traffic_of(Bytes(16 * gb), 32, 8, 64, 4352);
  const double apart = attention_memory_factor(traffic, {}, measured(traffic));
  EXPECT_NEAR(apart, 1.0, 1e-12);
  traffic.shared_kv = token_kv(32, 8) * 4096.0;
  traffic.sharers = 64;
  EXPECT_NEAR(kv_cache_share(traffic, {}), 63.0 / 64.0 * 4096.0 / 4352.0, 0.02);
  EXPECT_LT(attention_memory_factor(traffic, {}, measured(traffic)), 0.75);
  // Four times the prefix no longer fits: 17 MB a sequence and layer become 70 MB.
  AttentionTraffic longer = traffic_of(Bytes(16 * gb), 32, 8, 64, 16640);
  longer.shared_kv = token_kv(32, 8) * 16384.0;
  longer.sharers = 64;
  EXPECT_GT(attention_memory_factor(longer, {}, measured(longer)), 0.95);
  traffic.sharers = 1;  // nobody to share with
  EXPECT_NEAR(attention_memory_factor(traffic, {}, measured(traffic)), 1.0, 1e-12);
}

// L2 takes bytes from HBM, not launches: the factor never promises more than the streaming part.
TEST(AttentionMemoryFactor, BoundedByTheRates) {
  const MemoryHierarchy hierarchy;
  AttentionTraffic traffic = traffic_of(Bytes(1e6), 1, 8, 64, 128);
  traffic.shared_kv = token_kv(1, 8) * 128.0;
  traffic.sharers = 64;
  const double ratio = hierarchy.cache.memory_rate / hierarchy.cache.cache_rate;
  EXPECT_GE(attention_memory_factor(traffic, hierarchy, microseconds(1)), ratio);
  EXPECT_NEAR(attention_memory_factor(traffic, hierarchy, Seconds(1.0)), 1.0, 1e-4);
  EXPECT_EQ(attention_memory_factor({}, hierarchy, Seconds(1.0)), 1.0);
}

TEST(AttentionMemoryFactor, SharersNeverMakeItSlower) {
  AttentionTraffic traffic = traffic_of(Bytes(16 * gb), 32, 8, 64, 3000);
  traffic.shared_kv = token_kv(32, 8) * 2000.0;
  double last = 1.0;
  for (std::int64_t sharers = 1; sharers <= 64; ++sharers) {
    traffic.sharers = sharers;
    const double factor = attention_memory_factor(traffic, {}, measured(traffic));
    ASSERT_LE(factor, last);
    last = factor;
  }
}

TEST(Translation, PenaltyOnlyBeyondAMeasuredReach) {
  const TranslationModel none;
  EXPECT_EQ(none.factor(Bytes(500 * gb)), 1.0);
  TranslationModel reach;
  reach.reach = Bytes(64 * gb);
  reach.slowdown = 0.4;
  EXPECT_NEAR(reach.factor(Bytes(8 * gb)), 1.0, 1e-3);
  EXPECT_DOUBLE_EQ(reach.factor(Bytes(64 * gb)), 1.2);
  EXPECT_NEAR(reach.factor(Bytes(640 * gb)), 1.4, 1e-3);
  AttentionTraffic traffic = traffic_of(Bytes(17.6 * gb), 80, 1, 256, 8000);
  traffic.span = Bytes(640 * gb);
  MemoryHierarchy hierarchy;
  hierarchy.translation = reach;
  EXPECT_NEAR(attention_memory_factor(traffic, hierarchy, measured(traffic)), 1.4, 0.02);
}

TEST(BlockScatter, RandomBlocksAreWhatWasMeasured) {
  GatherModel gather;
  EXPECT_DOUBLE_EQ(block_scatter_factor(Bytes(4096), 1.0, gather), 1.0);
  EXPECT_NEAR(block_scatter_factor(Bytes(4096), 0.0, gather), 1.0 / (1.0 + 64.0 / 4096.0), 1e-12);
  EXPECT_GT(block_scatter_factor(Bytes(65536), 0.0, gather), 0.999);
  gather.half_block = Bytes(1000);
  EXPECT_LT(block_scatter_factor(Bytes(4096), 0.2, gather), block_scatter_factor(Bytes(4096), 0.5, gather));
  AttentionTraffic traffic = traffic_of(Bytes(17.6 * gb), 80, 1, 256, 8000);
  MemoryHierarchy hierarchy;
  hierarchy.gather = gather;
  traffic.block = Bytes(4096);
  traffic.scatter = 0.0;
  EXPECT_LT(attention_memory_factor(traffic, hierarchy, measured(traffic)), 0.85);
  traffic.scatter = 1.0;
  EXPECT_DOUBLE_EQ(attention_memory_factor(traffic, hierarchy, measured(traffic)), 1.0);
}

}  // namespace
}  // namespace brink::gpu
