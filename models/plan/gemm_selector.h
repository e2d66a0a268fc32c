// Which tactic a GEMM runs as: what the engine's library for its precision chooses. cuBLASLt takes the fastest legal
// tactic of a catalogue; CUTLASS, DeepGEMM and Marlin follow rules of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "models/base/units.h"
#include "models/cost/gemm_tactics.h"
#include "models/plan/gemm_catalogue.h"
#include "models/plan/gemm_measured.h"
#include "models/plan/gemm_search.h"
#include "models/plan/tactic.h"

namespace brink::plan {

/// How many weights share a scale, of a quantised GEMM.
enum class ScaleShape : std::uint8_t { per_channel, block_128 };

/// Y[m, n] = X[m, k] W[n, k]^T with 16-bit output.
struct GemmProblem {
  std::int64_t m = 1, n = 1, k = 1;
  Precision precision = Precision::bf16;
  ScaleShape scales = ScaleShape::per_channel;
};

/// What limits the choice at this moment.
struct GemmState {
  Bytes workspace = mib(32);   // scratch memory of the stream
  bool captured = true;        // inside a CUDA graph: changes no tactic, but the caller pads m
  std::int64_t live_rows = 0;  // of m that are no padding; 0: all. Only hypotheses look at it
};

/// Who multiplies FP8 with scales a channel.
enum class Fp8Library : std::uint8_t { cutlass, cublaslt };

struct GemmSelectorOptions {
  bool batch_invariant = false;  // no split-K and 1 KiB of workspace: one order for every m
  /// Each replica draws its tactics at start-up from noisy timings, keyed (seed, replica, shape).
  bool autotune = false;
  double autotune_noise = 0.02;  // relative standard deviation of a timing
  std::uint64_t seed = 0, replica = 0;
  /// With batch_invariant: one 128 x 128 tile for every m, as kernels written for invariance have (Thinking Machines
  /// Lab, "Defeating Nondeterminism in LLM Inference"), instead of the library's unsplit tactics.
  bool fixed_tile = false;
  Fp8Library fp8_library = Fp8Library::cutlass;
  bool marlin_atomics = false;     // VLLM_MARLIN_USE_ATOMIC_ADD
  bool scalar_fp16_at_17 = false;  // hypothesis without evidence: 17 live rows leave the tensor cores
};

/// Answers are pure functions of the arguments. A choice costs microseconds: callers keep tables by m.
class GemmSelector {
 public:
  /// `names` outlives the selector. `measured`: a profile's tactics, used for the shapes it has; its time ratios
  /// hold against the table of the catalogue's default workspace.
  GemmSelector(GemmCatalogue catalogue, GemmSelectorOptions options, TacticNames& names,
               std::shared_ptr<const cost::GemmTactics> measured = nullptr);

  /// Throws std::invalid_argument unless m, n and k are at least 1.
  [[nodiscard]] Choice choose(const GemmProblem& problem, const GemmState& state) const;

 private:
  [[nodiscard]] Choice from_catalogue(const GemmShape& shape, Precision precision, const GemmState& state) const;
  [[nodiscard]] Choice from_measured(Choice modelled, const MeasuredChoice& measured) const;
  [[nodiscard]] std::optional<MeasuredChoice> look_up(const GemmShape& shape, Precision precision,
                                                      const GemmLimits& limits) const;
  [[nodiscard]] Choice fp8_block(const GemmShape& shape, const GemmState& state) const;
  [[nodiscard]] Choice cutlass(const GemmShape& shape, Precision precision, const GemmState& state) const;
  [[nodiscard]] Choice marlin(const GemmShape& shape, const GemmState& state) const;
  [[nodiscard]] Choice dequantised(const GemmShape& shape, Precision precision, Seconds quantised,
                                   const GemmState& state) const;
  [[nodiscard]] Choice scalar(const GemmProblem& problem) const;
  /// Model time of what runs with the default workspace.
  [[nodiscard]] Seconds usual_time(const GemmProblem& problem) const;

  [[nodiscard]] GemmLimits limits(const GemmState& state) const;
  [[nodiscard]] GemmLimits default_limits() const;
  [[nodiscard]] GemmTactic tactic(const GemmShape& shape, std::size_t family, const GemmLimits& limits) const;

  GemmSearch search_;
  GemmSelectorOptions options_;
  TacticNames& names_;
  std::shared_ptr<const cost::GemmTactics> measured_;
};

}  // namespace brink::plan
