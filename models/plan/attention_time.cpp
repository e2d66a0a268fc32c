#include "models/plan/attention_time.h"

#include <algorithm>
#include <cmath>

#include "models/plan/attention_splits.h"

namespace brink::plan {
namespace {

constexpr std::int64_t kBlock = 128;  // tokens of the blocks a batch is counted in

std::int64_t mean_blocks(const AttentionBatch& batch) {
  return batch.sequences > 0 ? std::max<std::int64_t>(ceil_div(batch.blocks, batch.sequences), 1) : 1;
}

}  // namespace

double attention_tiles(const AttentionPlan& plan, const AttentionBatch& batch, const AttentionHardware& hardware) {
  const std::int64_t blocks = mean_blocks(batch);
  const double splits = std::ceil(static_cast<double>(blocks * kBlock) / static_cast<double>(plan.split_tokens(blocks)));
  return splits * static_cast<double>(std::max<std::int64_t>(batch.sequences, 1) * hardware.kv_heads);
}

Seconds attention_time(const AttentionPlan& plan, const AttentionBatch& batch, const AttentionHardware& hardware) {
  const AttentionTiming& timing = hardware.timing;
  const Bytes token_head(2.0 * static_cast<double>(hardware.head_dim * hardware.kv_element_bytes));
  const Bytes kv = token_head * static_cast<double>(batch.context * hardware.kv_heads);
  const double tiles = attention_tiles(plan, batch, hardware);
  const double waves = std::ceil(tiles / static_cast<double>(hardware.sm_count));
  const std::int64_t longest = std::max<std::int64_t>(batch.longest, 1);
  const std::int64_t piece = std::min(plan.split_tokens(ceil_div(longest, kBlock)), longest);
  const Seconds memory = kv / timing.hbm_rate;
  const Seconds mean = kv * (waves / tiles) / timing.sm_rate;
  const Seconds path = std::max(mean, token_head * static_cast<double>(piece) / timing.sm_rate);
  const double m = memory.value() * memory.value(), p = path.value() * path.value();
  const bool split = plan.splits(ceil_div(longest, kBlock)) > 1;
  return timing.launch + (split ? timing.combine : Seconds(0.0)) + Seconds(std::sqrt(std::sqrt(m * m + p * p)));
}

}  // namespace brink::plan
