// Kernel times of one GPU model, from a calibrated profile file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "models/base/json.h"
#include "models/base/units.h"
#include "models/cost/all_reduce_cost.h"
#include "models/cost/attention_cost.h"
#include "models/cost/contention.h"
#include "models/cost/elementwise_cost.h"
#include "models/cost/estimate.h"
#include "models/cost/gemm_cost.h"
#include "models/cost/gemm_tactics.h"
#include "models/cost/gpu_facts.h"
#include "models/cost/launch_costs.h"
#include "models/cost/measured_drift.h"
#include "models/cost/memory_curves.h"
#include "models/cost/point_to_point.h"

namespace brink::cost {

/// Answers "how long does this kernel take on this GPU, alone, at burst clock?". Host overhead,
/// sustained clocks (GpuFacts::sustained_*) and what is overlapped are the step cost's business.
/// Answers never change after loading. A first query costs up to 100 us, a repeated neighbourhood well below
/// 1 us for attention and about 10 us for a GEMM (cache by m). Not for concurrent use: grids fill on demand.
/// Queries outside the measured range are answered and badged `extrapolated`, kinds without any
/// measurement `hypothetical`: never silently. Bad arguments (a size < 1) throw std::invalid_argument.
class KernelProfile {
 public:
  /// Reads a profile file. Throws ConfigError with the pointer of the offending field.
  static KernelProfile load(const std::string& path);
  /// Same from a parsed document.
  static KernelProfile from_json(const Json& document);

  ~KernelProfile();
  KernelProfile(KernelProfile&&) noexcept;
  KernelProfile& operator=(KernelProfile&&) noexcept;

  [[nodiscard]] const GpuFacts& gpu() const;

  /// C[m,n] = A[m,k] B[k,n]; m = tokens, weights cold in L2. fp16 answers as bf16 (same tensor-core rate).
  [[nodiscard]] Estimate gemm(std::int64_t m, std::int64_t n, std::int64_t k, GemmType type) const;

  /// One decode step of one layer: every sequence attends to its whole context with one query token.
  /// `KvResidency::cold` (serving) streams KV from HBM; `warm` reproduces a kernel repeated on the same KV.
  [[nodiscard]] Estimate decode_attention(const DecodeWork& work, const AttentionHeads& heads, KvType kv,
                                          KvResidency residency = KvResidency::cold) const;

  /// Causal attention of prefill chunks of one layer, all in one launch.
  [[nodiscard]] Estimate prefill_attention(const PrefillWork& work, const AttentionHeads& heads, KvType kv) const;

  /// Memory-bound kernels (norm, activation, rotary, cast): bytes read plus written, over `kernels` launches.
  [[nodiscard]] Estimate elementwise(Bytes traffic, std::int64_t kernels) const;

  /// Collective of `message` bytes over `gpus` GPUs of one NVLink domain (for all_reduce: the buffer of
  /// one rank; see CollectiveBackend). The caller picks the backend: the selector is the plan's business.
  [[nodiscard]] Estimate collective(CollectiveBackend backend, CollectiveOp op, std::int64_t gpus, Bytes message) const;
  [[nodiscard]] Estimate all_reduce(CollectiveBackend backend, std::int64_t gpus, Bytes message) const {
    return collective(backend, CollectiveOp::all_reduce, gpus, message);
  }

  /// Send and receive of one pair of GPUs; nullptr where it was not measured.
  [[nodiscard]] const PointToPoint* point_to_point() const;
  /// Whether `collective` can answer.
  [[nodiscard]] bool has_collective(CollectiveBackend backend, CollectiveOp op) const;

  // Sections that only a calibration by microkernels has; nullptr in other profiles.
  [[nodiscard]] const GemmTactics* tactics() const;
  [[nodiscard]] const MemoryCurves* memory() const;
  [[nodiscard]] const LaunchCosts* launch() const;
  [[nodiscard]] const Contention* contention() const;
  [[nodiscard]] const MeasuredDrift* drift() const;

  /// The profile's `host` object (engine host overheads, keyed by engine version); null when absent.
  [[nodiscard]] const Json& host() const;
  /// The profile's `in_situ` object (kernels inside a step; see step_constants.h); null when absent.
  [[nodiscard]] const Json& in_situ() const;
  /// Provenance and residuals, as written by the calibration.
  [[nodiscard]] const Json& source() const;
  [[nodiscard]] const Json& residuals() const;

 private:
  struct Parts;
  explicit KernelProfile(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace brink::cost
