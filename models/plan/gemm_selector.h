// Which tactic a GEMM runs as: the fastest legal one of its library's catalogue.
#pragma once

#include <cstdint>
#include <memory>

#include "models/base/units.h"
#include "models/plan/gemm_catalogue.h"
#include "models/plan/tactic.h"

namespace brink::plan {

/// Y[m, n] = X[m, k] W[n, k]^T with 16-bit output.
struct GemmProblem {
  std::int64_t m = 1, n = 1, k = 1;
  Precision precision = Precision::bf16;
};

/// What limits the choice at this moment.
struct GemmState {
  Bytes workspace = mib(32);  // scratch memory of the stream
  bool captured = true;       // inside a CUDA graph
};

struct GemmSelectorOptions {
  bool batch_invariant = false;  // no split-K, one tile family for every m
  /// Each replica draws its tactics at start-up from noisy timings, keyed (seed, replica, shape).
  bool autotune = false;
  double autotune_noise = 0.02;  // relative standard deviation of a timing
  std::uint64_t seed = 0, replica = 0;
};

/// Answers are pure functions of the arguments. A choice costs microseconds: callers keep tables by m.
class GemmSelector {
 public:
  /// `names` outlives the selector.
  GemmSelector(GemmCatalogue catalogue, GemmSelectorOptions options, TacticNames& names);

  [[nodiscard]] Choice choose(const GemmProblem& problem, const GemmState& state) const;

 private:
  GemmCatalogue catalogue_;
  GemmSelectorOptions options_;
  TacticNames& names_;
};

}  // namespace brink::plan
