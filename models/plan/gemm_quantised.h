// Times of kernels that are not in a catalogue: those of fixed dispatch rules, the conversion of weights when such a
// kernel has no tile for a shape, and the scalar kernel of a hypothesis.
#pragma once

#include <cstdint>

#include "models/base/units.h"
#include "models/plan/gemm_catalogue.h"
#include "models/plan/gemm_time.h"
#include "models/plan/tactic.h"

namespace brink::plan {

/// One FP8 or INT8 tile (with its first cluster) on a shape.
[[nodiscard]] TacticWork quantised_work(const GemmShape& shape, const GemmTile& tile, Precision precision,
                                        const GemmCatalogue& catalogue);

/// One order for every tile: these kernels never split k. `promotion`: elements of k between promotions to fp32
/// (DeepSeek-V3 report, 3.3.2). Integer sums are exact, so INT8 has one signature whatever runs.
[[nodiscard]] ReductionSig quantised_signature(Precision precision, std::int64_t promotion);

// Time of the kernel vLLM would run were n and k padded to what it needs.
[[nodiscard]] Seconds cutlass_time(const GemmShape& shape, Precision precision, const GemmCatalogue& catalogue);
[[nodiscard]] Seconds deepgemm_time(const GemmShape& shape, const GemmCatalogue& catalogue);
/// Weight-only 4 bits: bf16 MMA rate against half a byte a weight, group scales of 16 bits for 128 weights.
[[nodiscard]] Seconds marlin_time(const GemmShape& shape, const GemmCatalogue& catalogue);

/// Weights read quantised and written as bf16, by a kernel of its own. They are converted at every call: an engine
/// that has the memory to keep them would not have quantised them.
[[nodiscard]] Seconds dequantise_time(const GemmShape& shape, Precision precision, const GemmMachine& machine);

/// The scalar FP16 kernel of the hypothesis: 32 x 128 tiles on the FMA units.
using ScalarKernel = TacticWork;
[[nodiscard]] ScalarKernel scalar_kernel(const GemmShape& shape, const GemmMachine& machine);

}  // namespace brink::plan
