// GEMM time: a tiled-kernel law (roofline with tile and wave quantisation and freedom of split-K)
// times an efficiency surface over (n, k) at every measured m.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "models/base/json.h"
#include "models/base/object_reader.h"
#include "models/cost/efficiency_surface.h"
#include "models/cost/estimate.h"
#include "models/cost/gpu_facts.h"

namespace brink::cost {

/// Operand type and kernel family. `fp8`: per-tensor or per-token scales; `fp8_block`: 128x128 block scales.
enum class GemmType { bf16, fp8, fp8_block };

/// The GPU-wide law, fitted; no parameter belongs to a shape.
struct GemmLaw {
  static constexpr std::size_t parameter_count = 9;
  double mma_efficiency = 0.87;       // of the peak MMA rate inside a tile
  double operand_bytes_per_cycle = 400.0;  // per SM, from L2
  Seconds wave_fixed{0.13e-6};        // prologue and epilogue of a wave
  Seconds reduction_fixed{4.5e-6};    // added by split-K
  BytesPerSecond reduction_rate{4e13};
  BytesPerSecond hbm_rate{2.985e12};
  Seconds launch{3.06e-6};
  double overlap_power = 3.27;        // how sharply compute and memory bounds meet (p-norm)
  double wave_quantisation = 0.65;    // 1: waves fully quantised, 0: perfectly balanced tail

  /// Element sizes and MMA rate that tell the types apart.
  double operand_bytes = 2.0;
  double mma_per_cycle = 2048.0;  // multiply-adds per SM and cycle at the data-sheet rate

  /// Time of one GEMM by the law alone.
  [[nodiscard]] Seconds time(double m, double n, double k, const GpuFacts& gpu) const;

  static GemmLaw of_type(GemmType type, const GpuFacts& gpu);
  [[nodiscard]] std::array<double, parameter_count> parameters() const;
  void set_parameters(const std::array<double, parameter_count>& values);
};

/// One GEMM type of a profile.
class GemmCost {
 public:
  GemmCost(GemmLaw law, std::vector<std::int64_t> m_grid, EfficiencySurface surface, GpuFacts gpu);

  [[nodiscard]] Estimate estimate(std::int64_t m, std::int64_t n, std::int64_t k) const;
  /// The same efficiency at another type's MMA rate and operand size (for a type without measurements).
  [[nodiscard]] GemmCost as_type(GemmType type) const;
  [[nodiscard]] const GemmLaw& law() const { return law_; }

  static GemmCost from_json(ObjectReader reader, GemmType type, const GpuFacts& gpu);
  [[nodiscard]] Json to_json() const;

 private:

  GemmLaw law_;
  std::vector<std::int64_t> m_grid_;
  EfficiencySurface surface_;  // over (n, k), one output a measured m
  GpuFacts gpu_;
};

}  // namespace brink::cost
