#include "models/gpu/gpu_spec.h"

#include <gtest/gtest.h>

#include "tests/support/config_error.h"

namespace brink::gpu {
namespace {

using test::BadField;
using test::expect_config_error;
using test::with_bad_field;

std::string h100_path() { return std::string(BRINK_SOURCE_DIR) + "/configs/gpus/h100_sxm.json"; }

TEST(GpuSpec, H100) {
  const GpuSpec gpu = load_gpu(h100_path());
  EXPECT_EQ(gpu.architecture, "sm90");
  EXPECT_EQ(gpu.sms, 132);
  EXPECT_EQ(gpu.memory_total.value(), 81559.0 * 1048576.0);
  EXPECT_DOUBLE_EQ(gpu.hbm_peak.value(), 3.35e12);
  EXPECT_DOUBLE_EQ(gpu.bf16_sustained.value(), 794.5e12);
  EXPECT_DOUBLE_EQ(gpu.nvlink_each_way.value(), 450e9);
  EXPECT_DOUBLE_EQ(gpu.clock_max.value(), 1.98e9);
  EXPECT_EQ(gpu.l2.value(), 50.0 * 1048576.0);
}

// The published dense peak is SMs x 4096 bf16 flops a cycle (4 tensor cores x 512 FMA) x clock.
TEST(GpuSpec, PeakMatchesItsClock) {
  const GpuSpec gpu = load_gpu(h100_path());
  const double flops = static_cast<double>(gpu.sms) * 4096.0 * gpu.clock_of_peak.value();
  EXPECT_NEAR(flops / gpu.bf16_peak.value(), 1.0, 0.002);
}

TEST(GpuSpec, EveryFactHasASource) {
  const Json json = load_json(h100_path());
  int facts = 0;
  for (const auto& [key, value] : json.members()) {
    if (!value.is_object()) continue;
    ++facts;
    EXPECT_GT(value.find("source")->as_string().size(), 10u) << key;
  }
  EXPECT_EQ(facts, 14);
}

// The catalogue of GEMM tactics is another file, found from where the GPU's lies; a GPU without one is fine.
TEST(GpuSpec, NamesItsTactics) {
  EXPECT_EQ(load_gpu(h100_path()).gemm_tactics, std::string(BRINK_SOURCE_DIR) + "/configs/tactics/h100_cublaslt.json");
  EXPECT_EQ(read_gpu(with_bad_field(load_json(h100_path()), {"/gemm_tactics", "", "", ""})).gemm_tactics, "");
}

TEST(GpuSpec, MissingFileIsNamed) {
  try {
    (void)load_gpu("/nonexistent/gpu.json");
    ADD_FAILURE();
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.file(), "/nonexistent/gpu.json");
    EXPECT_EQ(error.pointer(), "");
  }
}

class BadGpu : public testing::TestWithParam<BadField> {};

TEST_P(BadGpu, SaysWhereAndWhat) {
  const BadField& bad = GetParam();
  const Json json = with_bad_field(load_json(h100_path()), bad);
  expect_config_error([&] { (void)read_gpu(json); }, bad.pointer, bad.message);
}

INSTANTIATE_TEST_SUITE_P(
    Fields, BadGpu,
    testing::Values(
        BadField{"/schema_version", "2", "/schema_version", "got the integer 2; allowed: an integer >= 1 and <= 1"},
        BadField{"/name", "", "/name", "got nothing; required: a string"},
        BadField{"/gemm_tactics", "7", "/gemm_tactics", "got the integer 7; allowed: a string"},
        BadField{"/gemm_tactic", "\"x\"", "/gemm_tactic",
                 "got an unknown field; did you mean 'gemm_tactics'? allowed: schema_version, name, architecture, gemm_tactics, "
                 "memory_total_mib, hbm_peak_gb_per_s, hbm_achieved_gb_per_s, bf16_peak_tflops, bf16_sustained_tflops, "
                 "fp8_peak_tflops, fp8_sustained_tflops, sms, l2_mib, nvlink_gb_per_s_each_way, pcie_gb_per_s_each_way, tdp_w, "
                 "clock_max_mhz, clock_of_peak_mhz"},
        BadField{"/sms", "132", "/sms", "got the integer 132; allowed: an object"},
        BadField{"/sms/value", "0", "/sms/value", "got the integer 0; allowed: an integer >= 1 and <= 1e+05"},
        BadField{"/sms/value", "131.5", "/sms/value",
                 "got the number 131.5; allowed: an integer >= 1 and <= 1e+05"},
        BadField{"/sms/source", "", "/sms/source", "got nothing; required: a string"},
        BadField{"/sms/source", "\"\"", "/sms/source", "got an empty string; where the value comes from"},
        BadField{"/tdp_w/source", "\"\"", "/tdp_w/source", "got an empty string; where the value comes from"},
        BadField{"/tdp_w/note", "1", "/tdp_w/note",
                 "got an unknown field; allowed: value, source"},
        BadField{"/memory_total_mib/value", "-1", "/memory_total_mib/value",
                 "got the integer -1; allowed: a number >= 1 and <= 1e+09 (MiB)"},
        BadField{"/memory_total_mib", "", "/memory_total_mib", "got nothing; required: an object"},
        BadField{"/hbm_peak_gb_per_s/value", "\"3350\"", "/hbm_peak_gb_per_s/value",
                 "got the string \"3350\"; allowed: a number >= 1 and <= 1e+06 (GB/s)"},
        BadField{"/hbm_achieved_gb_per_s/value", "4000", "/hbm_achieved_gb_per_s/value",
                 "got 4000; at most /hbm_peak_gb_per_s/value (3350)"},
        BadField{"/bf16_sustained_tflops/value", "990", "/bf16_sustained_tflops/value",
                 "got 990; at most /bf16_peak_tflops/value (989)"},
        BadField{"/fp8_sustained_tflops/value", "2000", "/fp8_sustained_tflops/value",
                 "got 2000; at most /fp8_peak_tflops/value (1979)"},
        BadField{"/clock_of_peak_mhz/value", "2100", "/clock_of_peak_mhz/value",
                 "got 2100; at most /clock_max_mhz/value (1980)"},
        BadField{"/colour", "{}", "/colour",
                 "got an unknown field; allowed: schema_version, name, architecture, gemm_tactics, memory_total_mib, hbm_peak_gb_per_s, "
                 "hbm_achieved_gb_per_s, bf16_peak_tflops, bf16_sustained_tflops, fp8_peak_tflops, fp8_sustained_tflops, "
                 "sms, l2_mib, nvlink_gb_per_s_each_way, pcie_gb_per_s_each_way, tdp_w, clock_max_mhz, clock_of_peak_mhz"}));

}  // namespace
}  // namespace brink::gpu
