// Attention time: a streaming law (decode) and a causal-area law (prefill), each times an efficiency surface.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "models/base/json.h"
#include "models/base/object_reader.h"
#include "models/base/units.h"
#include "models/cost/efficiency_surface.h"
#include "models/cost/estimate.h"
#include "models/cost/gpu_facts.h"
#include "models/cost/surface_grid.h"

namespace brink::cost {

/// Type of the KV cache; queries and outputs are 16-bit in both.
enum class KvType { bf16, fp8 };
[[nodiscard]] constexpr double bytes_per_element(KvType kv) { return kv == KvType::fp8 ? 1.0 : 2.0; }

/// Where the KV lies when the kernel starts: `cold` in HBM (weights passed through L2 since its last
/// use), `warm` in L2 as far as it fits (the same kernel repeated on the same KV).
enum class KvResidency { cold, warm };

/// Heads of one rank.
struct AttentionHeads {
  std::int64_t query = 1;
  std::int64_t kv = 1;
  std::int64_t dimension = 128;
};

/// Decode batch of one launch: one new token a sequence.
struct DecodeWork {
  std::int64_t batch = 1;
  Tokens context_sum{1.0};  ///< KV tokens read, summed over the sequences (the new token included)
};

/// Prefill chunks of one launch as sums, so that a batch costs O(1).
struct PrefillWork {
  std::int64_t sequences = 0;
  Tokens new_tokens{0.0};
  double attended = 0.0;      ///< sum over new tokens of the tokens each attends to (itself included)
  Tokens kv_tokens{0.0};      ///< cached plus new
  Tokens longest_kv{0.0};     ///< of any one sequence

  /// One sequence: `new_tokens` after `cached` that are already in the KV cache.
  static PrefillWork chunk(std::int64_t new_tokens, std::int64_t cached = 0);
  PrefillWork& operator+=(const PrefillWork& other);
  friend PrefillWork operator+(PrefillWork a, const PrefillWork& b) { return a += b; }
  /// `times` equal sequences.
  friend PrefillWork operator*(PrefillWork a, std::int64_t times);
};

/// Decode law of one head dimension and KV type; parameters fitted per GPU.
struct DecodeLaw {
  static constexpr std::size_t parameter_count = 8;
  Seconds launch{11.2e-6};
  Seconds per_tile{0.03e-6};      // sequence x KV head beyond one wave
  Seconds per_sequence{0.01e-6};
  BytesPerSecond hbm_rate{3.1e12};
  BytesPerSecond sm_rate{52e9};   // one thread block's stream
  BytesPerSecond l2_rate{5e12};
  double overlap_power = 1.5;
  Seconds combine{1.5e-6};        // joining KV splits

  [[nodiscard]] Seconds time(double batch, double context, const AttentionHeads& heads, KvType kv, KvResidency residency,
                             const GpuFacts& gpu) const;
  [[nodiscard]] std::array<double, parameter_count> parameters() const;
  void set_parameters(const std::array<double, parameter_count>& values);
};

/// Prefill law of one head dimension and KV type.
struct PrefillLaw {
  static constexpr std::size_t parameter_count = 6;
  Seconds launch{11.2e-6};
  FlopsPerSecond mma_rate{650e12};
  BytesPerSecond hbm_rate{2.0e12};
  Seconds per_tile{0.02e-6};   // sequence x KV head
  double overlap_power = 1.2;
  Seconds per_block{0.8e-6};   // one 128-token KV block on the critical path

  [[nodiscard]] Seconds time(const PrefillWork& work, const AttentionHeads& heads, KvType kv, const GpuFacts& gpu) const;
  [[nodiscard]] std::array<double, parameter_count> parameters() const;
  void set_parameters(const std::array<double, parameter_count>& values);
};

using HeadCounts = std::pair<std::int64_t, std::int64_t>;  // query, kv

/// Decode attention of one head dimension and KV type.
class DecodeCost {
 public:
  DecodeCost(std::int64_t head_dimension, KvType kv, DecodeLaw law, EfficiencySurface cold, EfficiencySurface warm,
             std::vector<HeadCounts> heads, GpuFacts gpu);
  [[nodiscard]] Estimate estimate(const DecodeWork& work, const AttentionHeads& heads, KvResidency residency) const;
  [[nodiscard]] std::int64_t head_dimension() const { return head_dimension_; }
  [[nodiscard]] KvType kv() const { return kv_; }
  static DecodeCost from_json(ObjectReader reader, const GpuFacts& gpu);
  [[nodiscard]] Json to_json() const;
  /// KV bytes above which the repeated measurement itself streams from HBM (L2 of 50 MB).
  static Bytes cold_limit() { return Bytes(60e6); }

 private:
  std::int64_t head_dimension_;
  KvType kv_;
  DecodeLaw law_;
  SurfaceGrid cold_, warm_;  // over (batch x KV heads, context, KV heads)
  std::vector<HeadCounts> heads_;
  GpuFacts gpu_;
};

/// Prefill attention of one head dimension and KV type.
class PrefillCost {
 public:
  PrefillCost(std::int64_t head_dimension, KvType kv, PrefillLaw law, EfficiencySurface surface,
              std::vector<HeadCounts> heads, GpuFacts gpu);
  [[nodiscard]] Estimate estimate(const PrefillWork& work, const AttentionHeads& heads) const;
  [[nodiscard]] std::int64_t head_dimension() const { return head_dimension_; }
  [[nodiscard]] KvType kv() const { return kv_; }
  static PrefillCost from_json(ObjectReader reader, const GpuFacts& gpu);
  [[nodiscard]] Json to_json() const;

 private:
  std::int64_t head_dimension_;
  KvType kv_;
  PrefillLaw law_;
  SurfaceGrid surface_;  // over (equivalent sequence length, heads x sequences, query heads per KV head)
  std::vector<HeadCounts> heads_;
  GpuFacts gpu_;
};

}  // namespace brink::cost
