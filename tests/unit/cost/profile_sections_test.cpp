// The optional sections of a profile: what is written is read again, and what makes no sense is refused by name.
#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/base/error.h"
#include "models/cost/contention.h"
#include "models/cost/gemm_tactics.h"
#include "models/cost/launch_costs.h"
#include "models/cost/measured_drift.h"
#include "models/cost/memory_curves.h"

namespace brink::cost {
namespace {

using testing::HasSubstr;

MemoryCurves memory() {
  MemoryCurves curves;
  curves.hbm.push_back({"copy", Seconds(2e-6), BytesPerSecond(2.8e12), 1.5, {1e6, 1e9}});
  curves.gather.push_back({"in_order", BytesPerSecond(2.9e12), Bytes(400), {512, 262144}});
  curves.strided.push_back({32, BytesPerSecond(1.4e12)});
  curves.l2 = CacheKnee{Bytes(30e6), 8.0, BytesPerSecond(7e12), BytesPerSecond(2.6e12), Seconds(140e-9), Seconds(230e-9), Seconds(370e-9), Bytes(12e6), {2e6, 256e6}};
  TranslationReach tlb;
  tlb.reach = Bytes(4e9);
  tlb.penalty = Seconds(300e-9);
  tlb.base = Seconds(250e-9);
  tlb.measured = {1e7, 7e10};
  tlb.lanes = {{1, 1.0}, {32, 1.45}};
  curves.tlb = tlb;
  return curves;
}

GemmTactics tactics() {
  GemmTactics all;
  all.library = "cublasLt 130000";
  all.names = {"66/t23/s37/k4/r2/w0/c0/i0/g5", "66/t23/s37/k1/r0/w0/c0/i0/g5"};
  all.tables.push_back({GemmType::bf16, 4096, 8192, Bytes(33554432), {{1, 16, 0}, {17, 512, 1}}, {{1, 16, 0}, {17, 512, 1}}, {{}, {3e-4, 1.0, 0.01}}, {{16, 0, Seconds(20e-6)}}});
  all.norms = {{4096, 256, 0}, {4096, 1024, 1}};
  all.attention.push_back({32, 8, 128, 8, 2048, {{1, 1, 0}, {2, 32, 1}}, {{}, {0.01, 1.0, 0.01}}});
  return all;
}

/// The message with which `read` refuses the section after `change`.
std::string refusal(Json json, const std::string& pointer, Json value, const std::function<void(const Json&)>& read) {
  set_at_pointer(json, pointer, std::move(value));
  try {
    read(json);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

const auto kReadMemory = [](const Json& json) { (void)MemoryCurves::from_json(ObjectReader(json, "/memory")); };
const auto kReadTactics = [](const Json& json) { (void)GemmTactics::from_json(ObjectReader(json, "/tactics")); };

TEST(ProfileSections, AreReadAsTheyAreWritten) {
  const Json m = memory().to_json(), t = tactics().to_json();
  EXPECT_EQ(MemoryCurves::from_json(ObjectReader(m, "")).to_json().dump(), m.dump());
  EXPECT_EQ(GemmTactics::from_json(ObjectReader(t, "")).to_json().dump(), t.dump());
  LaunchCosts launch;
  launch.graph_launch = Seconds(6e-6);
  const Json l = launch.to_json();
  EXPECT_EQ(LaunchCosts::from_json(ObjectReader(l, "")).to_json().dump(), l.dump());
  EXPECT_FALSE(launch.replay(10).has_value());
  Contention contention;
  contention.copies = {{"d2h", Bytes(2e6), 1.04, 1.2, BytesPerSecond(52e9)}, {"d2h", Bytes(16e6), 1.05, 1.1, BytesPerSecond(53e9)}};
  contention.sustained.push_back({"matmul", Hertz(1.4e9), Watts(695), FlopsPerSecond(7e14), FlopsPerSecond(9e14), {}, {}});
  const Json c = contention.to_json();
  EXPECT_EQ(Contention::from_json(ObjectReader(c, "")).to_json().dump(), c.dump());
  EXPECT_DOUBLE_EQ(contention.beside("d2h")->kernel_slowdown, 1.05);  // the largest block
  EXPECT_EQ(contention.beside("h2d"), nullptr);
  MeasuredDrift drift;
  drift.batches.push_back({16, 256, 0.5, 0.2, 0.01, 0.06, 0.12});
  const Json d = drift.to_json();
  EXPECT_EQ(MeasuredDrift::from_json(ObjectReader(d, "")).to_json().dump(), d.dump());
}

TEST(MemoryCurves, KnownAnswers) {
  const MemoryCurves m = memory();
  EXPECT_NEAR(m.l2->hit_share(Bytes(30e6)), 0.5, 1e-12);
  EXPECT_NEAR(m.l2->rate_of(Bytes(1e6)).value(), 7e12, 1e8);
  EXPECT_NEAR(m.l2->rate_of(Bytes(1e9)).value(), 2.6e12, 1e8);
  EXPECT_NEAR(m.l2->latency_of(Bytes(1e5)).value(), 140e-9, 1e-12);
  EXPECT_NEAR(m.l2->latency_of(Bytes(1e9)).value(), 370e-9, 1e-12);
  EXPECT_NEAR(m.tlb->penalty_at(Bytes(4e9)).value(), 150e-9, 1e-15);
  EXPECT_NEAR(m.tlb->penalty_at(Bytes(1e7)).value(), 0.0, 1e-12);
  EXPECT_NEAR(m.gather_of("in_order")->rate_of(Bytes(400)).value(), 1.45e12, 1.0);
  EXPECT_NEAR(m.stream("copy")->time(Bytes(0)).value(), 2e-6, 1e-15);
  EXPECT_EQ(m.stream("read"), nullptr);
}

TEST(MemoryCurves, NonsenseIsRefused) {
  const Json json = memory().to_json();
  EXPECT_THAT(refusal(json, "/hbm/0/bytes_per_s", 0.0, kReadMemory), HasSubstr("/memory/hbm/0/bytes_per_s"));
  EXPECT_THAT(refusal(json, "/l2/far_s", 100e-9, kReadMemory), HasSubstr("/memory/l2/far_s"));  // nearer than the near slice
  EXPECT_THAT(refusal(json, "/l2/capacity_byte", 1.0, kReadMemory), HasSubstr("did you mean 'capacity_bytes'"));
  EXPECT_THAT(refusal(json, "/tlb/lanes/0/lanes", 33, kReadMemory), HasSubstr("/memory/tlb/lanes/0/lanes"));
  EXPECT_THAT(refusal(json, "/gather/0/measured_block_bytes", 3, kReadMemory), HasSubstr("two numbers"));
}

TEST(GemmTactics, LooksUpByRow) {
  const GemmTactics t = tactics();
  const GemmTacticTable* table = t.find(GemmType::bf16, 4096, 8192, Bytes(33554432));
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->tactic(16), 0U);
  EXPECT_EQ(table->tactic(17), 1U);
  EXPECT_FALSE(table->tactic(513).has_value());
  EXPECT_FALSE(table->tactic(0).has_value());
  EXPECT_EQ(t.split_k(0), 4);
  EXPECT_EQ(t.split_k(1), 1);
  EXPECT_DOUBLE_EQ(table->time(16, 0)->value(), 20e-6);
  EXPECT_FALSE(table->time(16, 1).has_value());
  EXPECT_EQ(t.find(GemmType::fp8, 4096, 8192, Bytes(33554432)), nullptr);
}

TEST(GemmTactics, NonsenseIsRefused) {
  const Json json = tactics().to_json();
  const auto run = [](std::int64_t a, std::int64_t b, std::int64_t c) { return Json::array_of(std::vector<std::int64_t>{a, b, c}); };
  EXPECT_THAT(refusal(json, "/gemm/0/chosen/1", run(16, 512, 1), kReadTactics), HasSubstr("run 1 out of order"));
  EXPECT_THAT(refusal(json, "/gemm/0/chosen/1", run(17, 512, 2), kReadTactics), HasSubstr("an index into /tactics/names"));
  EXPECT_THAT(refusal(json, "/gemm/0/timed_us/0", -1.0, kReadTactics), HasSubstr("timed_us"));
  EXPECT_THAT(refusal(json, "/gemm/0/type", "bf166", kReadTactics), HasSubstr("did you mean 'bf16'"));
  EXPECT_THAT(refusal(json, "/gemm/0/classes/1/changed", 1.5, kReadTactics), HasSubstr("/classes/1/changed"));
}

}  // namespace
}  // namespace brink::cost
