#include "models/plan/gemm_quantised.h"

#include "models/cost/roofline.h"
#include "models/plan/cutlass_dispatch.h"
#include "models/plan/deepgemm.h"
#include "models/plan/gemm_search.h"

namespace brink::plan {
namespace {

using cost::ceil_div;

constexpr double kOperandRow = 128.0;  // bytes of k in a pipeline step

double real(std::int64_t value) { return static_cast<double>(value); }
std::int64_t up(std::int64_t value, std::int64_t to) { return ceil_div(value, to) * to; }

/// Rates of a precision: the catalogue's own family, else twice bf16's (8-bit wgmma, NVIDIA H100 white paper).
GemmFamily quantised_family(Precision precision, const GemmCatalogue& catalogue) {
  for (const GemmFamily& family : catalogue.families)
    if (family.precision == precision) return family;
  GemmFamily family;
  family.precision = precision;
  family.element_bytes = 1;
  family.mma_per_cycle = 4096.0;
  family.k_step = static_cast<std::int64_t>(kOperandRow);
  return family;
}

double weight_bytes(Precision precision) { return precision == Precision::w4a16 ? 0.5 + 2.0 / 128.0 : 1.0; }

}  // namespace

TacticWork quantised_work(const GemmShape& shape, const GemmTile& tile, Precision precision,
                          const GemmCatalogue& catalogue) {
  return tactic_work(shape, tile, tile.clusters.front(), {}, quantised_family(precision, catalogue), catalogue.machine);
}

ReductionSig quantised_signature(Precision precision, std::int64_t promotion) {
  const char* mma = precision == Precision::int8 ? "wgmma.s32.s8" : "wgmma.f32.e4m3";
  return signature_hash(name_hash(mma), static_cast<std::uint64_t>(promotion));
}

Seconds cutlass_time(const GemmShape& shape, Precision precision, const GemmCatalogue& catalogue) {
  const GemmShape padded{shape.m, up(shape.n, 16), up(shape.k, 16)};
  const CutlassKernel kernel =
      precision == Precision::int8 ? cutlass_int8(padded.m, padded.n) : cutlass_fp8(padded.m, padded.n);
  return quantised_work(padded, kernel.tile(), precision, catalogue).time;
}

Seconds deepgemm_time(const GemmShape& shape, const GemmCatalogue& catalogue) {
  const GemmShape padded{shape.m, up(shape.n, 64), up(shape.k, 128)};
  const DeepGemmTile tile = deepgemm_tile(padded.m, padded.n, padded.k, Precision::fp8, catalogue.sm_count);
  return quantised_work(padded, tile.tile(), Precision::fp8, catalogue).time;
}

Seconds marlin_time(const GemmShape& shape, const GemmCatalogue& catalogue) {
  const GemmMachine& machine = catalogue.machine;
  const double m = real(shape.m), n = real(up(shape.n, 64)), k = real(up(shape.k, 128));
  constexpr double kMmaPerCycle = 1288.0;  // mma.sync reaches 62.9 % of wgmma's rate on Hopper (Luo et al., 2402.13499)
  const double rate = 2.0 * kMmaPerCycle * machine.mma_efficiency * real(machine.sm_count) * machine.clock.value();
  const Seconds issue(2.0 * real(up(shape.m, 16)) * n * k / rate);
  const Seconds streamed = Bytes(weight_bytes(Precision::w4a16) * n * k + 2.0 * (m * k + m * n)) / machine.hbm;
  return machine.launch + machine.tile_fixed + joined(issue, streamed);
}

Seconds dequantise_time(const GemmShape& shape, Precision precision, const GemmMachine& machine) {
  const double weights = real(shape.n) * real(shape.k);
  return machine.launch + Bytes(weights * (weight_bytes(precision) + 2.0)) / machine.hbm;
}

ScalarKernel scalar_kernel(const GemmShape& shape, const GemmMachine& machine) {
  constexpr cost::Tile kTile{32, 128};
  ScalarKernel kernel;
  const std::int64_t tiles = cost::tile_count(shape.m, shape.n, kTile);
  kernel.tile_efficiency = cost::tile_efficiency(shape.m, shape.n, kTile);
  kernel.wave_efficiency = cost::wave_efficiency(tiles, machine.sm_count);
  const double work =
      2.0 * real(shape.m) * real(shape.n) * real(shape.k) / (kernel.tile_efficiency * kernel.wave_efficiency);
  kernel.time = machine.launch + machine.tile_fixed +
                joined(Flops(work) / machine.scalar, compulsory_bytes(shape, 2.0) / machine.hbm);
  return kernel;
}

}  // namespace brink::plan
