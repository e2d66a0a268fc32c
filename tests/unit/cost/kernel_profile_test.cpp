#include "models/cost/kernel_profile.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "models/base/error.h"

namespace brink::cost {
namespace {

constexpr AttentionHeads kHeads{32, 8, 128};

const KernelProfile& profile() {
  static const KernelProfile loaded = KernelProfile::load(std::string(BRINK_SOURCE_DIR) + "/configs/profiles/h100_sxm.json");
  return loaded;
}

TEST(KernelProfile, BadgesFollowTheCoordinate) {
  EXPECT_EQ(profile().gemm(16, 4096, 4096, GemmType::bf16).badge, Badge::measured);
  EXPECT_EQ(profile().gemm(20, 4096, 4096, GemmType::bf16).badge, Badge::interpolated);
  EXPECT_EQ(profile().gemm(16, 4608, 4096, GemmType::bf16).badge, Badge::interpolated);
  EXPECT_EQ(profile().gemm(16, 128256, 4096, GemmType::bf16).badge, Badge::extrapolated);
  EXPECT_EQ(profile().gemm(16, 4096, 4096, GemmType::fp8_block).badge, Badge::hypothetical);
  EXPECT_EQ(profile().elementwise(mib(1), 1).badge, Badge::hypothetical);
  EXPECT_EQ(profile().all_reduce(CollectiveBackend::custom_graph, 8, Bytes(65536)).badge, Badge::measured);
  EXPECT_EQ(profile().all_reduce(CollectiveBackend::custom_graph, 8, Bytes(65552)).badge, Badge::interpolated);
  EXPECT_EQ(profile().all_reduce(CollectiveBackend::custom_graph, 6, Bytes(65536)).badge, Badge::extrapolated);
  EXPECT_EQ(profile().all_reduce(CollectiveBackend::nccl, 16, Bytes(65536)).badge, Badge::hypothetical);
}

TEST(KernelProfile, AttentionBadges) {
  const DecodeWork large{64, Tokens(64 * 4096)}, small{8, Tokens(8 * 1024)};
  EXPECT_EQ(profile().decode_attention(large, kHeads, KvType::bf16).badge, Badge::measured);
  EXPECT_EQ(profile().decode_attention({64, Tokens(64 * 4096 + 1)}, kHeads, KvType::bf16).badge, Badge::interpolated);
  // The table repeats on the same small KV, so only the warm answer is measured.
  EXPECT_EQ(profile().decode_attention(small, kHeads, KvType::bf16, KvResidency::warm).badge, Badge::measured);
  EXPECT_EQ(profile().decode_attention(small, kHeads, KvType::bf16, KvResidency::cold).badge, Badge::interpolated);
  EXPECT_EQ(profile().decode_attention(large, {32, 32, 128}, KvType::bf16).badge, Badge::extrapolated);
  EXPECT_EQ(profile().decode_attention(large, {32, 8, 80}, KvType::bf16).badge, Badge::extrapolated);
  EXPECT_EQ(profile().prefill_attention(PrefillWork::chunk(1024), kHeads, KvType::bf16).badge, Badge::measured);
  EXPECT_EQ(profile().prefill_attention(PrefillWork::chunk(1000), kHeads, KvType::bf16).badge, Badge::interpolated);
  EXPECT_EQ(profile().prefill_attention(PrefillWork::chunk(512, 512), kHeads, KvType::bf16).badge, Badge::extrapolated);
}

TEST(KernelProfile, NoGemmBeatsTheRoofline) {
  const GpuFacts& gpu = profile().gpu();
  for (std::int64_t m : {1, 16, 100, 256, 1000, 8192, 65536})
    for (std::int64_t n : {128, 1280, 4608, 28672, 152064})
      for (std::int64_t k : {128, 2048, 14336, 53248}) {
        const double flops = 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
        const double bytes = 2.0 * (static_cast<double>(m * k) + static_cast<double>(n * k) + static_cast<double>(m * n));
        const Estimate e = profile().gemm(m, n, k, GemmType::bf16);
        EXPECT_GE(e.time.value(), flops / 989e12 * (1 - 1e-12)) << m << " " << n << " " << k;
        EXPECT_GE(e.time.value(), bytes / gpu.l2_bandwidth.value() * (1 - 1e-12)) << m << " " << n << " " << k;
      }
}

TEST(KernelProfile, GemmGrowsWithEveryDimensionFourfold) {
  // Tactic switches make single steps fall, as they do in the measurements; a factor of four never does.
  for (std::int64_t m : {1, 64, 256, 2048})
    for (std::int64_t n : {2048, 6144, 12288})
      for (std::int64_t k : {2048, 4096, 12288}) {
        const Seconds t = profile().gemm(m, n, k, GemmType::bf16).time;
        EXPECT_GT(profile().gemm(m, 4 * n, k, GemmType::bf16).time, t * 1.5);
        EXPECT_GT(profile().gemm(m, n, 4 * k, GemmType::bf16).time, t * 1.5);
        // A matrix-vector product (m = 1) runs another kernel, measured up to 12 % slower than m = 4.
        EXPECT_GE(profile().gemm(4 * m, n, k, GemmType::bf16).time, t * (m == 1 ? 0.85 : 0.95)) << m << " " << n << " " << k;
      }
}

TEST(KernelProfile, ColdDecodeNeverBeatsHbmNorWarm) {
  for (std::int64_t batch : {1, 7, 64, 300})
    for (double context : {16.0, 300.0, 1024.0, 5000.0, 60000.0}) {
      const DecodeWork work{batch, Tokens(static_cast<double>(batch) * context)};
      const Estimate cold = profile().decode_attention(work, kHeads, KvType::bf16);
      const Estimate warm = profile().decode_attention(work, kHeads, KvType::bf16, KvResidency::warm);
      EXPECT_GE(cold.time, warm.time);
      EXPECT_GE(cold.time.value(), 4.0 * static_cast<double>(batch) * context * 8 * 128 / 3.35e12);
    }
}

TEST(KernelProfile, ColdDecodeRisesWithContextWithoutJumps) {
  for (std::int64_t batch : {1, 8, 17, 64, 256}) {
    double last = 0.0, highest = 0.0;
    for (double context = 1; context < 32768; context *= 1.02) {
      const double t = profile().decode_attention({batch, Tokens(context * static_cast<double>(batch))}, kHeads, KvType::bf16).time.value();
      if (last > 0.0) { EXPECT_LT(t / last, 1.08) << "batch " << batch << " context " << context; }
      EXPECT_GT(t, 0.97 * highest) << "batch " << batch << " context " << context;
      highest = std::max(highest, t);
      last = t;
    }
  }
}

TEST(KernelProfile, PrefillCountsAttendedTokens) {
  const PrefillWork whole = PrefillWork::chunk(100);
  EXPECT_DOUBLE_EQ(whole.attended, 5050.0);
  const PrefillWork tail = PrefillWork::chunk(40, 60);
  EXPECT_DOUBLE_EQ((PrefillWork::chunk(60) + tail).attended, whole.attended);
  EXPECT_DOUBLE_EQ(tail.kv_tokens.value(), 100.0);
  const PrefillWork twice = whole + whole;
  EXPECT_EQ((whole * 2).attended, twice.attended);
  EXPECT_EQ((whole * 2).sequences, 2);
}

TEST(KernelProfile, PrefillGrowsWithPrefixAndLength) {
  for (std::int64_t tokens : {64, 512, 2048}) {
    Seconds last{0.0};
    for (std::int64_t cached : {0, 1024, 4096, 16384, 65536}) {
      const Seconds t = profile().prefill_attention(PrefillWork::chunk(tokens, cached), kHeads, KvType::bf16).time;
      EXPECT_GT(t, last) << tokens << " after " << cached;
      last = t;
    }
  }
  const double area = PrefillWork::chunk(8192).attended;
  EXPECT_GE(profile().prefill_attention(PrefillWork::chunk(8192), kHeads, KvType::bf16).time.value(), 4.0 * 32 * 128 * area / 989e12);
}

TEST(KernelProfile, ElementwiseIsBytesOverCopyBandwidthWithAFloor) {
  const Estimate large = profile().elementwise(Bytes(2.9e9), 1);
  EXPECT_NEAR(large.time.value(), 1e-3, 1e-9);
  const Estimate floor = profile().elementwise(Bytes(16), 3);
  EXPECT_DOUBLE_EQ(floor.time.value(), 3.0 * profile().elementwise(Bytes(16), 1).time.value());
  EXPECT_GT(floor.time.value(), 0.0);
}

TEST(KernelProfile, CollectivesScaleSensibly) {
  EXPECT_EQ(profile().all_reduce(CollectiveBackend::nccl, 1, mib(1)).time.value(), 0.0);
  const auto time = [](std::int64_t gpus, double bytes) { return profile().all_reduce(CollectiveBackend::nccl, gpus, Bytes(bytes)).time; };
  EXPECT_GT(time(6, 65536), time(4, 65536));
  EXPECT_LT(time(6, 65536), time(8, 65536));
  EXPECT_GT(time(16, 65536), time(8, 65536));
  // Beyond the last size the rate holds: doubling the bytes doubles the time.
  EXPECT_NEAR(time(8, 8e9) / time(8, 4e9), 2.0, 0.05);
  EXPECT_THROW((void)profile().collective(CollectiveBackend::custom_graph, CollectiveOp::all_gather, 2, mib(1)), Error);
}

TEST(KernelProfile, RefusesNonsenseArguments) {
  EXPECT_THROW((void)profile().gemm(0, 1, 1, GemmType::bf16), std::invalid_argument);
  EXPECT_THROW((void)profile().decode_attention({4, Tokens(3)}, kHeads, KvType::bf16), std::invalid_argument);
  EXPECT_THROW((void)profile().decode_attention({1, Tokens(3)}, {0, 1, 128}, KvType::bf16), std::invalid_argument);
  EXPECT_THROW((void)PrefillWork::chunk(0), std::invalid_argument);
  EXPECT_THROW((void)profile().elementwise(Bytes(1), 0), std::invalid_argument);
}

/// The pointer at which a changed profile is refused.
std::string refused_at(const std::string& pointer, const char* value) {
  static const Json original = load_json(std::string(BRINK_SOURCE_DIR) + "/configs/profiles/h100_sxm.json");
  Json changed = original;
  set_at_pointer(changed, pointer, parse_json(value));
  try {
    (void)KernelProfile::from_json(changed);
  } catch (const ConfigError& error) {
    return error.pointer();
  }
  return "accepted";
}

TEST(KernelProfile, BadFilesAreRefusedWhereTheyAreBad) {
  for (const char* pointer : {"/schema_version", "/gpu/sm_count", "/gemm/bf16/law/hbm_bytes_per_s", "/decode_attention/0/law/overlap_power",
                              "/prefill_attention/0/kv_cache", "/collectives/0/curves/0/gpus", "/collectives/0/op", "/elementwise/floor_us"})
    EXPECT_EQ(refused_at(pointer, "-7"), pointer);
  EXPECT_EQ(refused_at("/gemm/bf16/surface/points/3", "[1]"), "/gemm/bf16/surface/points/3");
  EXPECT_EQ(refused_at("/decode_attention", "[]"), "/decode_attention");
  EXPECT_EQ(refused_at("/gemm/bf16/m", "[1, 2]"), "/gemm/bf16/surface");
  EXPECT_EQ(refused_at("/unknown_field", "1"), "/unknown_field");
}

TEST(KernelProfile, HostSectionPassesThrough) {
  Json changed = load_json(std::string(BRINK_SOURCE_DIR) + "/configs/profiles/h100_sxm.json");
  set_at_pointer(changed, "/host", parse_json(R"({"x": {"step_us": 3}})"));
  EXPECT_EQ(KernelProfile::from_json(changed).host().dump(), R"({"x":{"step_us":3}})");
}

}  // namespace
}  // namespace brink::cost
