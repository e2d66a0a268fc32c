#include "models/plan/attention_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

#include "models/plan/attention_splits.h"
#include "models/plan/attention_time.h"

namespace brink::plan {
namespace {

constexpr std::int64_t kBlock = 128;        // tokens of the blocks sequences are counted in
constexpr std::int64_t kGraphSplits = 32;   // vLLM, VLLM_FLASH_ATTN_MAX_NUM_SPLITS_FOR_CUDA_GRAPH
constexpr std::int64_t kFamilySalt = 0x61747431;

// KV tokens of a tile: FlashAttention 2's split-KV kernels by head dimension; FlashAttention 3 with pages of 16
// tokens (hopper/tile_size.h) up to 128 dimensions.
std::int64_t kv_tile(AttentionBackend backend, std::int64_t head_dim) {
  if (backend != AttentionBackend::fa2) return kBlock;
  return head_dim <= 64 ? 256 : head_dim <= 128 ? 128 : 64;
}

// Query rows of FlashAttention 3's tile (hopper/tile_size.h). Query heads of a KV head are packed into rows.
std::int64_t query_tile(std::int64_t head_dim) { return head_dim <= 96 ? 192 : 128; }

std::int64_t query_tiles(std::int64_t new_tokens, const AttentionHardware& hardware) {
  const std::int64_t group = ceil_div(hardware.q_heads, hardware.kv_heads);
  return std::max<std::int64_t>(ceil_div(new_tokens * group, query_tile(hardware.head_dim)), 1);
}

FlashInferGrid grid_of(const AttentionHardware& hardware) {
  return {2 * hardware.sm_count, hardware.kv_heads, hardware.page_size};
}

// Blocks of 128 tokens as the kernel's blocks.
std::int64_t kernel_blocks(std::int64_t blocks, std::int64_t block_tokens) { return ceil_div(blocks * kBlock, block_tokens); }

}  // namespace

const char* name(AttentionBackend backend) {
  constexpr std::array names = {"fa2", "fa3_static", "fa3_dynamic", "flashinfer"};
  return names[static_cast<std::size_t>(backend)];
}

std::int64_t AttentionPlan::rule_splits(std::int64_t blocks) const {
  if (chunk_tokens > 0) return ceil_div(blocks * kBlock, chunk_tokens);
  if (blocks_per_split > 0) return fa3_dynamic_splits(blocks, blocks_per_split, cap);
  return uniform_splits;
}

std::int64_t AttentionPlan::splits(std::int64_t blocks) const {
  const std::int64_t counted = std::max<std::int64_t>(blocks, 1);
  return ragged_shifts ? ceil_div(counted * kBlock, split_tokens(counted)) : rule_splits(counted);
}

std::int64_t AttentionPlan::split_tokens(std::int64_t blocks) const {
  const std::int64_t counted = std::max<std::int64_t>(blocks, 1);
  const std::int64_t size = chunk_tokens > 0 ? chunk_tokens
                                             : ceil_div(kernel_blocks(counted, block_tokens), rule_splits(counted)) * block_tokens;
  return ragged_shifts && size < counted * kBlock ? size + kBlock : size;
}

ReductionSig AttentionPlan::signature(std::int64_t blocks) const {
  const ReductionSig family = signature_hash(kFamilySalt, static_cast<std::uint64_t>(backend == AttentionBackend::fa3_static
                                                                                        ? AttentionBackend::fa3_dynamic
                                                                                        : backend));
  const std::int64_t size = split_tokens(blocks), pieces = ceil_div(blocks * kBlock, size);
  if (pieces <= 1) return signature_hash(family, 0);
  return signature_hash(signature_hash(family, static_cast<std::uint64_t>(size)), static_cast<std::uint64_t>(pieces));
}

std::int64_t attention_work(std::int64_t new_tokens, std::int64_t kv_tokens, const AttentionHardware& hardware) {
  return query_tiles(new_tokens, hardware) * ceil_div(kv_tokens, kBlock);
}

AttentionBatch batch_of_one(std::int64_t context, const AttentionHardware& hardware) {
  AttentionBatch batch;
  batch.sequences = 1;
  batch.context = batch.longest = context;
  batch.blocks = ceil_div(context, kBlock);
  batch.pages = ceil_div(context, hardware.page_size);
  return batch;
}

AttentionPlanner::AttentionPlanner(const AttentionHardware& hardware, const AttentionOptions& options, TacticNames& names)
    : hardware_(hardware), options_(options), names_(names) {}

std::int64_t AttentionPlanner::uniform(AttentionBackend backend, std::int64_t sequences, std::int64_t longest,
                                       std::int64_t longest_query) {
  UniformSplitInput in;
  in.sm_count = hardware_.sm_count;
  in.query_tiles = query_tiles(longest_query, hardware_);
  in.tiles = sequences * hardware_.kv_heads * in.query_tiles;
  in.blocks = std::max<std::int64_t>(ceil_div(longest, kv_tile(backend, hardware_.head_dim)), 1);
  if (last_.tiles == in.tiles && last_.blocks == in.blocks) return last_.splits;
  last_ = {in.tiles, in.blocks, backend == AttentionBackend::fa2 ? fa2_splits(in) : fa3_static_splits(in)};
  return last_.splits;
}

void AttentionPlanner::set_rule(AttentionPlan& plan, const AttentionBatch& batch) {
  const std::int64_t launch = batch.sequences + batch.prefill.sequences;
  const std::int64_t query = std::max<std::int64_t>(batch.prefill.longest_query, 1);
  switch (plan.backend) {
    case AttentionBackend::fa2:
      // The split kernel serves launches of single tokens only (flash_api.cpp, mha_varlen_fwd).
      plan.uniform_splits = plan.cap = query > 1 ? 1 : uniform(plan.backend, launch, batch.longest, 1);
      return;
    case AttentionBackend::fa3_static:
      plan.uniform_splits = plan.cap = uniform(plan.backend, launch, batch.longest, query);
      return;
    case AttentionBackend::fa3_dynamic: {
      // Outside a full graph the static rule, told of one sequence, bounds the splits (flash_api.cpp, get_num_splits).
      plan.cap = launch > fa3_dynamic_batch_max ? 1
                 : batch.full_graph             ? kGraphSplits
                                                : uniform(plan.backend, 1, batch.longest, query);
      const std::int64_t work = query_tiles(1, hardware_) * batch.blocks;
      plan.blocks_per_split = fa3_blocks_per_split(work + batch.prefill.work, hardware_.kv_heads, hardware_.sm_count);
      return;
    }
    case AttentionBackend::flashinfer: {
      const std::int64_t size = hardware_.page_size, longest_pages = std::max<std::int64_t>(ceil_div(batch.longest, size), 1);
      std::int64_t pages = batch.pages > 0          ? batch.pages
                           : batch.sequences == 1 ? ceil_div(batch.context, size)
                                                  : (batch.context + batch.sequences * (size - 1) / 2) / size;
      pages = std::clamp(pages, batch.sequences, batch.sequences * longest_pages);
      const std::int64_t chunk = flashinfer_chunk_pages_from_sums(batch.sequences, pages, longest_pages, grid_of(hardware_));
      if (chunk > 0 && chunk < longest_pages) plan.chunk_tokens = chunk * size;
      plan.cap = plan.chunk_tokens > 0 ? ceil_div(longest_pages, chunk) : 1;
      return;
    }
  }
}

TacticId AttentionPlanner::tactic(std::int64_t splits) {
  const auto at = static_cast<std::size_t>(splits);
  if (ids_.size() <= at) ids_.resize(at + 1, 0);
  if (ids_[at] == 0) ids_[at] = 1 + names_.intern(fmt::format("{}/splits={}", name(options_.backend), splits));
  return ids_[at] - 1;
}

void AttentionPlanner::set_choice(AttentionPlan& plan, const AttentionBatch& batch) {
  const std::int64_t longest = std::max<std::int64_t>(ceil_div(batch.longest, kBlock), 1);
  const std::int64_t mean = batch.sequences > 0 ? ceil_div(batch.blocks, batch.sequences) : 0;
  const Launch launch{batch.sequences, mean,     longest,           plan.blocks_per_split,
                      plan.uniform_splits, plan.cap, plan.chunk_tokens, plan.ragged_shifts};
  if (launch != launch_) {
    launch_ = launch;
    const std::int64_t most = plan.splits(longest);
    choice_ = plan.choice;
    choice_.tactic_id = tactic(most);
    choice_.reduction_sig = plan.signature(longest);
    if (most > 1 && plan.blocks_per_split > 0) {
      const auto rule = static_cast<std::uint64_t>(2 * plan.blocks_per_split + (plan.ragged_shifts ? 1 : 0));
      choice_.reduction_sig = signature_hash(signature_hash(kFamilySalt, rule), static_cast<std::uint64_t>(plan.cap));
    }
    const double tiles = attention_tiles(plan, batch, hardware_), slots = static_cast<double>(hardware_.sm_count);
    choice_.wave_efficiency = tiles / (std::ceil(tiles / slots) * slots);
  }
  plan.choice = choice_;
  if (batch.blocks > 0) plan.choice.tile_efficiency = static_cast<double>(batch.context) / static_cast<double>(batch.blocks * kBlock);
}

AttentionPlan AttentionPlanner::plan(const AttentionBatch& batch) {
  AttentionPlan plan;
  plan.backend = options_.backend;
  plan.block_tokens = kv_tile(plan.backend, hardware_.head_dim);
  plan.ragged_shifts = options_.length_2047_changes_splits && batch.longest % kBlock != 0 && !options_.batch_invariant;
  if (options_.batch_invariant) {
    plan.choice.fallback = Fallback::batch_invariant;
  } else if (batch.sequences > 0) {
    set_rule(plan, batch);
    if (plan.ragged_shifts) plan.choice.fallback = Fallback::hypothesis;
  }
  set_choice(plan, batch);
  const bool measured = plan.backend == AttentionBackend::fa3_dynamic && !options_.batch_invariant;
  if (!measured && batch.sequences > 0) {
    AttentionPlan usual;
    usual.cap = batch.sequences + batch.prefill.sequences > fa3_dynamic_batch_max ? 1 : kGraphSplits;
    usual.blocks_per_split = fa3_blocks_per_split(query_tiles(1, hardware_) * batch.blocks + batch.prefill.work,
                                                  hardware_.kv_heads, hardware_.sm_count);
    plan.choice.relative_time = attention_time(plan, batch, hardware_) / attention_time(usual, batch, hardware_);
  }
  return plan;
}

AttentionPlan AttentionPlanner::alone(std::int64_t context, bool full_graph) {
  AttentionBatch batch = batch_of_one(context, hardware_);
  batch.full_graph = full_graph;
  return plan(batch);
}

AttentionPlan plan_attention(const AttentionBatch& batch, const AttentionHardware& hardware, const AttentionOptions& options,
                             TacticNames& names) {
  return AttentionPlanner(hardware, options, names).plan(batch);
}

AttentionPlan plan_attention_alone(std::int64_t context, const AttentionHardware& hardware, const AttentionOptions& options,
                                   TacticNames& names) {
  return AttentionPlanner(hardware, options, names).alone(context);
}

}  // namespace brink::plan
