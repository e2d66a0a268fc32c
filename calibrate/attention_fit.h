// Fits the attention laws and their efficiency surfaces, and holds out whole head combinations.
#pragma once

#include <cstdint>
#include <vector>

#include "calibrate/tables.h"
#include "calibrate/validation.h"
#include "models/cost/attention_cost.h"

namespace brink::calibrate {

/// Rows of one head dimension and KV type.
struct AttentionGroup {
  std::int64_t head_dimension;
  cost::KvType kv;
  std::vector<AttentionRow> rows;
};

/// Splits rows by head dimension and KV type, in a fixed order.
[[nodiscard]] std::vector<AttentionGroup> group_attention(const std::vector<AttentionRow>& rows);

[[nodiscard]] cost::DecodeCost fit_decode(const AttentionGroup& group, const cost::GpuFacts& gpu);
[[nodiscard]] cost::PrefillCost fit_prefill(const AttentionGroup& group, const cost::GpuFacts& gpu);

/// In-sample and held-out rows. Groups "attention_decode_cold" and "attention_decode_warm" (KV above and
/// below what L2 holds), with suffix "_fp8kv" for an FP8 KV cache.
void validate_decode(const AttentionGroup& group, const cost::GpuFacts& gpu, const cost::DecodeCost& fitted, std::vector<ValidationRow>& out);
/// Group "attention_prefill" (suffix as above).
void validate_prefill(const AttentionGroup& group, const cost::GpuFacts& gpu, const cost::PrefillCost& fitted, std::vector<ValidationRow>& out);

}  // namespace brink::calibrate
