// Measured choices of the GEMM library, where a profile has them (its `tactics` section): they replace the model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "models/base/units.h"
#include "models/cost/gemm_tactics.h"
#include "models/plan/gemm_search.h"
#include "models/plan/tactic.h"

namespace brink::plan {

struct MeasuredChoice {
  std::string name;            // "measured/66/t23/..."
  ReductionSig signature = 0;  // of the measured bit class of row 0
  std::int64_t split = 1;
  bool deterministic = true;            // false: partial sums meet in place, by atomics
  bool as_default = true;               // the same as under the default workspace
  std::optional<double> relative_time;  // over the choice under the default workspace; none: not timed near this m
};

/// What ran at `shape` under the largest measured workspace within `workspace`, or nothing if it was not measured.
/// A class of equal bits is told by the split count of its tactic and its rank among the classes of that count, so
/// that unsplit sums agree between workspaces (on Hopper only split-K changes the order: vLLM batch_invariant.py).
[[nodiscard]] std::optional<MeasuredChoice> measured_choice(const cost::GemmTactics& tactics, cost::GemmType type,
                                                            const GemmShape& shape, Bytes workspace,
                                                            Bytes default_workspace);

/// As `measured_choice`, but the least noisy timing among the tactics timed at exactly this m; nothing where fewer
/// than two were.
[[nodiscard]] std::optional<MeasuredChoice> measured_autotune(const cost::GemmTactics& tactics, cost::GemmType type,
                                                              const GemmShape& shape, Bytes workspace,
                                                              Bytes default_workspace, const TuningNoise& noise);

}  // namespace brink::plan
