#include "models/gpu/gpu_spec.h"

#include <filesystem>
#include <fmt/format.h>
#include <string_view>

#include "models/base/error.h"
#include "models/base/object_reader.h"

namespace brink::gpu {
namespace {

/// {"value": <number>, "source": "<where it comes from>"} at `key`, checked against `range`.
double fact(ObjectReader& reader, std::string_view key, Range range) {
  ObjectReader entry = reader.object(key);
  const double value = entry.number("value", range);
  if (entry.string("source").empty()) throw entry.error("source", "an empty string", "where the value comes from");
  entry.finish();
  return value;
}

std::int64_t count_fact(ObjectReader& reader, std::string_view key, Range range) {
  ObjectReader entry = reader.object(key);
  const std::int64_t value = entry.integer("value", range);
  if (entry.string("source").empty()) throw entry.error("source", "an empty string", "where the value comes from");
  entry.finish();
  return value;
}

void at_most_peak(const ObjectReader& reader, const char* key, double value, const char* peak_key, double peak) {
  if (value <= peak) return;
  throw ConfigError(join_pointer(reader.pointer_to(key), "value"), fmt::format("{:g}", value),
                    fmt::format("at most {} ({:g})", join_pointer(reader.pointer_to(peak_key), "value"), peak));
}

}  // namespace

GpuSpec read_gpu(const Json& json) {
  constexpr double giga = 1e9, tera = 1e12;
  ObjectReader reader(json, "");
  reader.integer("schema_version", Range::between(1, 1));
  GpuSpec spec;
  spec.name = reader.string("name");
  spec.architecture = reader.string("architecture");
  spec.gemm_tactics = reader.string_or("gemm_tactics", "");
  spec.memory_total = mib(fact(reader, "memory_total_mib", Range::between(1, 1e9, "MiB")));
  const double hbm_peak = fact(reader, "hbm_peak_gb_per_s", Range::between(1, 1e6, "GB/s"));
  const double hbm_achieved = fact(reader, "hbm_achieved_gb_per_s", Range::between(1, 1e6, "GB/s"));
  const double bf16_peak = fact(reader, "bf16_peak_tflops", Range::between(0.001, 1e6, "TFLOP/s"));
  const double bf16_sustained = fact(reader, "bf16_sustained_tflops", Range::between(0.001, 1e6, "TFLOP/s"));
  const double fp8_peak = fact(reader, "fp8_peak_tflops", Range::between(0.001, 1e6, "TFLOP/s"));
  const double fp8_sustained = fact(reader, "fp8_sustained_tflops", Range::between(0.001, 1e6, "TFLOP/s"));
  spec.sms = count_fact(reader, "sms", Range::between(1, 1e5));
  spec.l2 = mib(fact(reader, "l2_mib", Range::between(0.001, 1e6, "MiB")));
  spec.nvlink_each_way = BytesPerSecond(giga * fact(reader, "nvlink_gb_per_s_each_way", Range::between(0, 1e6, "GB/s")));
  spec.pcie_each_way = BytesPerSecond(giga * fact(reader, "pcie_gb_per_s_each_way", Range::between(0.001, 1e6, "GB/s")));
  spec.tdp = Watts(fact(reader, "tdp_w", Range::between(1, 1e5, "W")));
  const double clock_max = fact(reader, "clock_max_mhz", Range::between(1, 1e5, "MHz"));
  const double clock_peak = fact(reader, "clock_of_peak_mhz", Range::between(1, 1e5, "MHz"));
  reader.finish();

  at_most_peak(reader, "hbm_achieved_gb_per_s", hbm_achieved, "hbm_peak_gb_per_s", hbm_peak);
  at_most_peak(reader, "bf16_sustained_tflops", bf16_sustained, "bf16_peak_tflops", bf16_peak);
  at_most_peak(reader, "fp8_sustained_tflops", fp8_sustained, "fp8_peak_tflops", fp8_peak);
  at_most_peak(reader, "clock_of_peak_mhz", clock_peak, "clock_max_mhz", clock_max);
  spec.hbm_peak = BytesPerSecond(giga * hbm_peak);
  spec.hbm_achieved = BytesPerSecond(giga * hbm_achieved);
  spec.bf16_peak = FlopsPerSecond(tera * bf16_peak);
  spec.bf16_sustained = FlopsPerSecond(tera * bf16_sustained);
  spec.fp8_peak = FlopsPerSecond(tera * fp8_peak);
  spec.fp8_sustained = FlopsPerSecond(tera * fp8_sustained);
  spec.clock_max = Hertz(1e6 * clock_max);
  spec.clock_of_peak = Hertz(1e6 * clock_peak);
  return spec;
}

GpuSpec load_gpu(const std::string& path) {
  try {
    GpuSpec spec = read_gpu(load_json(path));
    if (!spec.gemm_tactics.empty()) {
      const std::filesystem::path folder = std::filesystem::path(path).parent_path();
      spec.gemm_tactics = (folder / spec.gemm_tactics).lexically_normal().string();
    }
    return spec;
  } catch (const ConfigError& error) {
    throw error.in_file(path);
  }
}

}  // namespace brink::gpu
