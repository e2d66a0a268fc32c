#include "calibrate/kernel_calibration.h"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "calibrate/attention_fit.h"
#include "calibrate/collective_fit.h"
#include "calibrate/gemm_fit.h"
#include "models/base/error.h"
#include "models/cost/kernel_profile.h"

namespace brink::calibrate {
namespace {

std::string data_dir() {
  if (const char* set = std::getenv("BRINK_SHARED_DATA")) return set;
  return std::string(BRINK_SOURCE_DIR) + "/../shared/data";
}
gpu::GpuSpec spec() { return gpu::load_gpu(std::string(BRINK_SOURCE_DIR) + "/configs/gpus/h100_sxm.json"); }

#ifdef __SANITIZE_ADDRESS__
constexpr bool kInstrumented = true;  // the fits take minutes; their parts are tested on synthetic rows
#else
constexpr bool kInstrumented = false;
#endif

#define REQUIRE_DATA()                                                                                            \
  if (kInstrumented) GTEST_SKIP() << "fits the whole tables: run without sanitizers";                             \
  if (!std::filesystem::is_directory(data_dir() + "/kernels"))                                                    \
  GTEST_SKIP() << "measurement tables not found in " << data_dir() << "; set BRINK_SHARED_DATA to the folder that holds kernels/"

TEST(KernelCalibration, MissingFolderIsNamed) {
  try {
    (void)cross_validate("/nonexistent", spec());
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/nonexistent"), std::string::npos);
  }
}

/// One whole fit with its hold-outs, shared by the tests below (tens of seconds).
const Json& fitted() {
  static const Json profile = fit_kernels(data_dir(), spec(), parse_json(R"({"kept": 1})"));
  return profile;
}

// The bars of the kernel costs: mean error on shapes the fit never saw.
TEST(KernelCalibration, HeldOutErrorsMeetTheBars) {
  REQUIRE_DATA();
  const std::map<std::string, double> bars{
      {"gemm_bf16", 0.05}, {"gemm_fp8", 0.06}, {"attention_decode_cold", 0.08}, {"attention_decode_warm", 0.08},
      {"attention_decode_cold_fp8kv", 0.08}, {"attention_decode_warm_fp8kv", 0.08}, {"attention_prefill", 0.08},
      {"attention_prefill_fp8kv", 0.08}, {"all_reduce_custom_graph", 0.08}, {"all_reduce_custom_eager", 0.08},
      {"all_reduce_nccl", 0.10}, {"all_gather_nccl", 0.10}, {"reduce_scatter_nccl", 0.10}, {"all_to_all_nccl", 0.10}};
  std::size_t met = 0;
  for (const Json& error : fitted().find("residuals")->items()) {
    const auto bar = bars.find(error.find("group")->as_string());
    if (!error.find("held_out")->as_bool() || bar == bars.end()) continue;
    EXPECT_LE(error.find("mape")->as_double(), bar->second) << bar->first;
    ++met;
  }
  EXPECT_EQ(met, bars.size());
}

TEST(KernelCalibration, ProfileLoadsKeepsHostAndStaysSmall) {
  REQUIRE_DATA();
  const std::string text = fitted().dump(1);
  EXPECT_LT(text.size(), 1500000u);
  const cost::KernelProfile profile = cost::KernelProfile::from_json(parse_json(text));
  EXPECT_EQ(profile.host().dump(), R"({"kept":1})");
  EXPECT_EQ(profile.gemm(16, 4096, 4096, cost::GemmType::bf16).badge, cost::Badge::measured);
}

TEST(KernelCalibration, SameTablesGiveTheSameBytes) {
  REQUIRE_DATA();
  const TableFiles files = TableFiles::in(data_dir());
  const cost::GpuFacts gpu = gpu_facts(spec(), data_dir());
  const auto collectives = read_nccl_rows(files.nccl);
  const auto first = fit_collectives(collectives), second = fit_collectives(collectives);
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].to_json().dump(), second[i].to_json().dump());
  const auto rows = read_gemm_rows(files.gemm);
  EXPECT_EQ(fit_gemm(rows, cost::GemmType::bf16, gpu).to_json().dump(), fitted().find("gemm")->find("bf16")->dump());
  const auto groups = group_attention(read_attention_rows(files.decode));
  EXPECT_EQ(fit_decode(groups.front(), gpu).to_json().dump(), fitted().find("decode_attention")->items().front().dump());
}

TEST(KernelCalibration, ShippedProfileIsTheFitOfTheseTables) {
  REQUIRE_DATA();
  const Json shipped = load_json(std::string(BRINK_SOURCE_DIR) + "/configs/profiles/h100_sxm.json");
  for (const char* part : {"source", "gpu", "elementwise"})
    EXPECT_EQ(shipped.find(part)->dump(), fitted().find(part)->dump()) << part << ": run brink-calibrate fit again";
  // Another compiler may end the simplex search elsewhere; the answers stay together.
  const cost::KernelProfile ours = cost::KernelProfile::from_json(shipped), fresh = cost::KernelProfile::from_json(fitted());
  for (std::int64_t m : {1, 48, 512, 3000})
    EXPECT_NEAR(ours.gemm(m, 4608, 4096, cost::GemmType::bf16).time / fresh.gemm(m, 4608, 4096, cost::GemmType::bf16).time, 1.0, 0.02);
  for (std::int64_t batch : {1, 20, 200}) {
    const cost::DecodeWork work{batch, Tokens(1500.0 * static_cast<double>(batch))};
    EXPECT_NEAR(ours.decode_attention(work, {40, 8, 128}, cost::KvType::bf16).time / fresh.decode_attention(work, {40, 8, 128}, cost::KvType::bf16).time, 1.0, 0.02);
  }
}

TEST(KernelCalibration, RoundTripAnswersAlike) {
  REQUIRE_DATA();
  const cost::KernelProfile direct = cost::KernelProfile::from_json(fitted());
  const cost::KernelProfile read = cost::KernelProfile::from_json(parse_json(fitted().dump(1)));
  for (std::int64_t m : {1, 20, 700, 9000})
    EXPECT_EQ(direct.gemm(m, 4608, 4096, cost::GemmType::fp8), read.gemm(m, 4608, 4096, cost::GemmType::fp8));
}

}  // namespace
}  // namespace brink::calibrate
