// A whole results file of a machine with known laws: the profile has them, and what it predicts for shapes it has
// not seen is within the bars.
#include "calibrate/microkernel/fit.h"

#include <fstream>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "calibrate/microkernel/attention_rows.h"
#include "calibrate/microkernel/diff.h"
#include "calibrate/microkernel/report.h"
#include "calibrate/microkernel/tactics.h"
#include "models/base/error.h"
#include "models/cost/kernel_profile.h"
#include "synthetic_results.h"
#include "tests/support/temp_path.h"

namespace brink::calibrate {
namespace {

using synthetic::Results;
using synthetic::Truth;
using testing::HasSubstr;

gpu::GpuSpec spec() { return gpu::load_gpu(std::string(BRINK_SOURCE_DIR) + "/configs/gpus/h100_sxm.json"); }

cost::GpuFacts facts() {
  const gpu::GpuSpec s = spec();
  return {s.name, s.sms, s.clock_of_peak, s.bf16_peak, s.bf16_sustained, s.fp8_peak, s.fp8_sustained, s.hbm_peak, s.hbm_achieved, BytesPerSecond(6.8e12), s.l2};
}

MicrokernelResults read(const Results& results) {
  static const test::TempPath file("synthetic.jsonl");  // read again when a fit names its inputs
  std::ofstream(file.str(), std::ios::binary) << results.text();
  return MicrokernelResults::read(file.str());
}

/// The whole machine, fitted once for all tests below.
struct Whole {
  Truth truth;
  MicrokernelFit fit;
  Whole() {
    Results results(0.01);
    synthetic::add_launch(results, truth);
    synthetic::add_hbm(results, truth);
    synthetic::add_l2(results, truth);
    synthetic::add_tlb(results, truth);
    synthetic::add_host_link(results, truth);
    synthetic::add_overlap(results, truth);
    synthetic::add_norm(results, truth);
    synthetic::add_drift(results);
    synthetic::add_collective(results);
    synthetic::add_gemm(results, facts());
    synthetic::add_attention(results, facts());
    fit = fit_microkernels(read(results), spec(), Json());
  }
};
const Whole& whole() {
  static const Whole fitted;
  return fitted;
}
cost::KernelProfile profile() { return cost::KernelProfile::from_json(parse_json(whole().fit.profile.dump())); }

TEST(MicrokernelFit, EveryBarIsMetOnWhatWasHeldOut) {
  std::map<std::string, double> held_out;
  for (const GroupError& error : summarise(whole().fit.comparisons))
    if (error.held_out) held_out[error.group] = error.mape;
  for (const char* group : {"gemm_bf16", "attention_decode_cold", "attention_decode_warm", "attention_prefill", "hbm_read", "hbm_copy", "hbm_gather",
                            "l2_bandwidth", "l2_latency", "tlb_chase", "graph_replay", "host_link_d2h"})
    EXPECT_TRUE(held_out.count(group)) << group;
  for (const auto& [group, mape] : held_out)
    for (const FitBar& bar : fit_bars())
      if (group.starts_with(bar.prefix)) { EXPECT_LE(mape, bar.mape) << group; }
  EXPECT_LE(held_out["gemm_bf16"], 0.03);
}

TEST(MicrokernelFit, FindsTheMachine) {
  const cost::KernelProfile p = profile();
  const Truth& truth = whole().truth;
  ASSERT_NE(p.memory(), nullptr);
  EXPECT_NEAR(p.memory()->stream("copy")->rate.value() / truth.copy.rate.value(), 1.0, 0.02);
  EXPECT_NEAR(p.memory()->gather_of("scattered_4096_mib")->half_block.value() / 420.0, 1.0, 0.15);
  EXPECT_NEAR(p.memory()->l2->capacity.value() / truth.l2.capacity.value(), 1.0, 0.05);
  EXPECT_NEAR(p.memory()->link("d2h")->rate.value() / 52e9, 1.0, 0.02);
  EXPECT_FALSE(p.memory()->tlb->reach.has_value());
  ASSERT_EQ(p.memory()->tlb->lanes.size(), 3U);
  EXPECT_NEAR(p.memory()->tlb->lanes.back().factor, 1107.0 / 762.0, 0.05);
  EXPECT_EQ(p.memory()->strided.size(), 4U);
  EXPECT_NEAR(p.launch()->graph_node->value() / truth.graph_node.value(), 1.0, 0.03);
  EXPECT_NEAR(p.launch()->graph_launch->value() / truth.graph_launch.value(), 1.0, 0.1);
  EXPECT_NEAR(p.launch()->replay(100.0)->value(), 6.4e-6 + 100 * 0.82e-6, 3e-6);
  EXPECT_NEAR(p.contention()->beside("d2h")->kernel_slowdown, truth.kernel_slowdown, 1e-9);
  EXPECT_NEAR(p.contention()->under("matmul")->clock.value(), truth.sustained_clock_mhz * 1e6, 1.0);
  EXPECT_NEAR(p.contention()->under("matmul")->power.value(), truth.power_w, 1e-9);
  EXPECT_NEAR(p.all_reduce(cost::CollectiveBackend::nccl, 2, Bytes(1e6)).time.value() / std::hypot(9e-6, 1e6 / 200e9), 1.0, 0.05);
  ASSERT_NE(p.drift(), nullptr);
  EXPECT_DOUBLE_EQ(p.drift()->changed_share(), 0.5);  // of 768 rows, 128 + 256
  EXPECT_DOUBLE_EQ(p.drift()->margin_delta(), 0.08);  // 256 of the 384 rows that changed
  EXPECT_DOUBLE_EQ(p.drift()->margin_median, 4.0);
  // Facts that the measurement replaces.
  EXPECT_NEAR(p.gpu().hbm_copy.value() / truth.copy.rate.value(), 1.0, 0.02);
  EXPECT_NEAR(p.gpu().sustained_bf16.value(), truth.sustained_flops, 1.0);
  EXPECT_NEAR(p.gpu().l2_bandwidth.value() / truth.l2.cache_rate.value(), 1.0, 0.02);
}

TEST(MicrokernelFit, TacticsAndBitsAreTheMachines) {
  const cost::KernelProfile p = profile();
  ASSERT_NE(p.tactics(), nullptr);
  const auto* full = p.tactics()->find(cost::GemmType::bf16, 4096, 14336, Bytes(33554432));
  const auto* small = p.tactics()->find(cost::GemmType::bf16, 4096, 14336, Bytes(1024));
  ASSERT_TRUE(full && small);
  EXPECT_EQ(p.tactics()->split_k(*full->tactic(16)), 4);
  EXPECT_EQ(p.tactics()->split_k(*full->tactic(17)), 1);
  EXPECT_EQ(p.tactics()->split_k(*full->tactic(8192)), 1);  // from the grid, beyond what was asked row by row
  EXPECT_FALSE(full->tactic(700).has_value());
  EXPECT_EQ(*full->bits(16), 0);
  EXPECT_EQ(*full->bits(17), 1);
  EXPECT_NEAR(full->classes[1].changed, 3e-4, 1e-12);
  for (std::int64_t m = 1; m <= 512; ++m) EXPECT_EQ(*small->bits(m), 0);  // no split-K: batch-invariant
  EXPECT_TRUE(full->time(16, *full->tactic(16)).has_value());
  EXPECT_EQ(p.tactics()->norms.size(), 2U);
  EXPECT_NE(p.tactics()->norms[0].bits, p.tactics()->norms[1].bits);
  EXPECT_EQ(p.tactics()->find(cost::GemmType::fp8, 4096, 14336, Bytes(1024)), nullptr);
}

TEST(MicrokernelFit, ProductsTooLargeToMeasureAreNoEvidence) {
  // 128256 x 8192 outputs were left out; the surface has them, the comparisons do not.
  for (const ValidationRow& row : whole().fit.comparisons) EXPECT_NE(row.id, "m=8192 n=128256 k=4096");
  EXPECT_NEAR(profile().gemm(64, 128256, 4096, cost::GemmType::bf16).time.value() /
                  cost::GemmLaw::of_type(cost::GemmType::bf16, facts()).time(64, 128256, 4096, facts()).value(), 1.0, 0.05);
}

TEST(MicrokernelFit, TheSameResultsGiveTheSameBytes) {
  Results results(0.01);
  synthetic::add_hbm(results, Truth{});
  const Json base = whole().fit.profile;
  EXPECT_EQ(fit_microkernels(read(results), spec(), base).profile.dump(1), fit_microkernels(read(results), spec(), base).profile.dump(1));
}

TEST(MicrokernelFit, AShortRunCarriesTheRestOver) {
  Results results(0.01);
  synthetic::add_launch(results, Truth{});
  try {
    (void)fit_microkernels(read(results), spec(), Json());
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("measure its group, or give --base"));
  }
  const Json base = load_json(std::string(BRINK_SOURCE_DIR) + "/configs/profiles/h100_sxm.json");
  const MicrokernelFit fit = fit_microkernels(read(results), spec(), base);
  EXPECT_EQ(fit.measured, std::vector<std::string>{"launch"});
  EXPECT_EQ(fit.profile.find("gemm")->dump(), base.find("gemm")->dump());
  EXPECT_EQ(fit.profile.find("host")->dump(), base.find("host")->dump());
  EXPECT_NE(at_pointer(fit.profile, "/source/carried_from"), nullptr);
  try {
    (void)fit_microkernels(read(results), spec(), base, {"prefil_attention"});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'prefill_attention'?"));
  }
}

TEST(MicrokernelFit, AnotherGpuIsRefused) {
  gpu::GpuSpec other = spec();
  other.sms = 108;
  Results results(0.01);
  synthetic::add_launch(results, Truth{});
  EXPECT_THROW((void)fit_microkernels(read(results), other, Json()), Error);
}

TEST(MicrokernelFit, SplitsOfACapturedLaunch) {
  EXPECT_EQ(captured_splits(1, 8, 132), 32);
  EXPECT_EQ(captured_splits(16, 8, 132), 3);
  EXPECT_EQ(captured_splits(256, 8, 132), 1);
}

TEST(MicrokernelReport, SaysWhatWasMetAndWhatWasLeftOut) {
  const std::string text = report_text(whole().fit);
  EXPECT_THAT(text, HasSubstr("NVIDIA H100 80GB HBM3 (132 SMs)"));
  EXPECT_THAT(text, HasSubstr("hbm[copy].bytes_per_s"));
  EXPECT_THAT(text, HasSubstr("products too large to measure"));
  EXPECT_THAT(text, testing::Not(HasSubstr("MISSED")));
  const Json json = report_json(whole().fit);
  bool with_bar = false;
  for (const Json& group : json.find("groups")->items()) with_bar = with_bar || group.find("met") != nullptr;
  EXPECT_TRUE(with_bar);
}

TEST(ProfileDiff, EqualProfilesDoNotDiffer) { EXPECT_TRUE(diff_profiles(whole().fit.profile, whole().fit.profile).empty()); }

TEST(ProfileDiff, NamesWhatChangedByGroup) {
  Json other = whole().fit.profile;
  set_at_pointer(other, "/launch/graph_node_s", 1.64e-6);
  set_at_pointer(other, "/gemm/bf16/law/launch_us", 30.0);
  Json& runs = *other.find("tactics")->find("gemm")->items().back().find("chosen");
  runs.items()[0].items()[1] = 8;
  runs.items()[1].items()[0] = 9;
  std::map<std::string, std::vector<ProfileChange>> by_group;
  for (const ProfileChange& change : diff_profiles(whole().fit.profile, other)) by_group[change.group].push_back(change);
  ASSERT_EQ(by_group["launch"].size(), 1U);
  EXPECT_EQ(by_group["launch"][0].what, "graph_node_s");
  EXPECT_NEAR(by_group["launch"][0].change, 1.0, 0.05);
  ASSERT_FALSE(by_group["gemm"].empty());
  EXPECT_GT(by_group["gemm"][0].change, 0.05);
  ASSERT_EQ(by_group["tactics"].size(), 1U);
  EXPECT_THAT(by_group["tactics"][0].note, HasSubstr("8 of "));
  EXPECT_TRUE(by_group["decode_attention"].empty());
  EXPECT_THAT(to_text(diff_profiles(whole().fit.profile, other)), HasSubstr("graph_node_s"));
}

}  // namespace
}  // namespace brink::calibrate
