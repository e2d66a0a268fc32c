// Facts of one GPU type. Every fact in the file carries its source; none is a fitted number.
#pragma once

#include <cstdint>
#include <string>

#include "models/base/json.h"
#include "models/base/units.h"

namespace brink::gpu {

struct GpuSpec {
  std::string name;          // "H100 SXM5 80GB"
  std::string architecture;  // "sm90"
  Bytes memory_total{0.0};   // what the driver reports, not the printed 80 GB
  BytesPerSecond hbm_peak{0.0};
  BytesPerSecond hbm_achieved{0.0};      // best measured streaming read
  FlopsPerSecond bf16_peak{0.0};         // dense
  FlopsPerSecond bf16_sustained{0.0};    // best shape, thermally settled
  FlopsPerSecond fp8_peak{0.0};
  FlopsPerSecond fp8_sustained{0.0};
  std::int64_t sms = 0;
  Bytes l2{0.0};
  BytesPerSecond nvlink_each_way{0.0};   // zero: no NVLink
  BytesPerSecond pcie_each_way{0.0};
  Watts tdp{0.0};
  Hertz clock_max{0.0};                  // SM boost ceiling
  Hertz clock_of_peak{0.0};          // the clock the published peak is stated at
  std::string gemm_tactics;          // path of the GEMM catalogue of its libraries; empty: none is known
};

/// Reads configs/gpus/*.json. Throws ConfigError (file and pointer named) for a missing,
/// mistyped, out-of-range or unknown field, a fact without source, or achieved above peak.
[[nodiscard]] GpuSpec load_gpu(const std::string& path);
[[nodiscard]] GpuSpec read_gpu(const Json& json);

}  // namespace brink::gpu
