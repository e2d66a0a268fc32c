#include "models/memory/rank_memory.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace brink::memory {
namespace {

// 0.21 GiB for 35 sizes, and 6 to 8 MiB each in later versions (vLLM pull requests 11349 and 23184, server logs).
constexpr Bytes bytes_per_graph = mib(6);

}  // namespace

Bytes Card::sum() const {
  return weights + activations + workspace + graphs + communicators + runtime + kv_live + kv_cached + kv_pinned +
         kv_free + unused;
}

RankMemory::RankMemory(const MemoryBudget& budget, const RankMemoryOptions& options)
    : budget_(budget), options_(options), history_(options.seed, "allocation history") {
  if (options_.per_rank_allocator) renew();
}

Card RankMemory::card(const KvUse& use) const {
  const auto blocks = [&](std::int64_t n) { return budget_.kv_block * static_cast<double>(n); };
  Card out;
  out.total = budget_.total;
  out.weights = budget_.weights;
  out.activations = budget_.activations;
  out.communicators = budget_.communicators;
  out.kv_live = blocks(use.live);
  out.kv_cached = blocks(use.cached);
  out.kv_pinned = blocks(use.pinned);
  const Bytes free = budget_.kv_pool - out.kv_live - out.kv_cached - out.kv_pinned;
  if (options_.dynamic_workspace) {
    out.workspace = free;
    out.runtime = budget_.runtime;
  } else {
    // Profiling saw the streams' workspaces as part of what grew outside the allocator.
    out.workspace = std::min(options_.workspace * static_cast<double>(options_.streams), budget_.runtime);
    out.runtime = budget_.runtime - out.workspace;
    out.kv_free = free;
  }
  // Captured after the pool was sized, from what the engine leaves of the card.
  const Bytes graphs = bytes_per_graph * static_cast<double>(options_.graphs);
  out.graphs = std::clamp(graphs, Bytes(0.0), std::max(budget_.left_over, Bytes(0.0)));
  out.unused = budget_.left_over - out.graphs;
  return out;
}

Bytes RankMemory::workspace(std::int64_t kv_blocks_used) {
  handed_out_ += std::max<std::int64_t>(0, kv_blocks_used - used_);
  used_ = kv_blocks_used;
  if (options_.per_rank_allocator && handed_out_ >= next_renewal_) renew();
  return limit(piece(tightest_luck_));
}

Bytes RankMemory::workspace_of(std::int64_t rank) const {
  return limit(piece(options_.per_rank_allocator ? luck(rank) : 0.0));
}

Bytes RankMemory::limit(Bytes piece) const {
  return options_.dynamic_workspace ? piece : std::min(piece, options_.workspace);
}

// Where all ranks share a block table their free memory is one arena, mapped in any order. Where each places its
// own blocks, after a while any block is as likely to be in use as any other, and the longest run of free ones
// among N at occupancy u is (ln(N u) + G) / -ln(1 - u) blocks, G a standard Gumbel variable (the longest run of
// heads: Erdos and Renyi 1970; Schilling, College Mathematics Journal 21, 1990).
Bytes RankMemory::piece(double luck) const {
  const auto total = static_cast<double>(budget_.kv_blocks);
  const double free = total - static_cast<double>(used_);
  if (!options_.per_rank_allocator) {
    return options_.dynamic_workspace ? budget_.kv_block * free : options_.workspace;
  }
  if (free <= 0.0) return Bytes(0.0);
  const double occupancy = static_cast<double>(used_) / total;
  const double run = used_ == 0 ? total : (std::log(total * occupancy) + luck) / -std::log1p(-occupancy);
  return budget_.kv_block * std::clamp(std::floor(run), 0.0, free);
}

// A rank's history is another once its pool has been handed out again. The ranks' turns do not coincide.
std::int64_t RankMemory::age(std::int64_t rank) const {
  const std::int64_t pool = std::max<std::int64_t>(1, budget_.kv_blocks);
  const std::int64_t offset = pool * rank / std::max<std::int64_t>(1, options_.ranks);
  return (handed_out_ + offset) / pool;
}

double RankMemory::luck(std::int64_t rank) const {
  const StreamKey key{static_cast<std::uint64_t>(age(rank)), options_.replica, static_cast<std::uint64_t>(rank)};
  return -std::log(history_.exponential(key));  // standard Gumbel
}

void RankMemory::renew() {
  const std::int64_t pool = std::max<std::int64_t>(1, budget_.kv_blocks);
  tightest_luck_ = std::numeric_limits<double>::infinity();
  next_renewal_ = std::numeric_limits<std::int64_t>::max();
  for (std::int64_t rank = 0; rank < options_.ranks; ++rank) {
    const std::int64_t offset = pool * rank / std::max<std::int64_t>(1, options_.ranks);
    next_renewal_ = std::min(next_renewal_, (age(rank) + 1) * pool - offset);
    const double here = luck(rank);
    if (here >= tightest_luck_) continue;
    tightest_luck_ = here;
    tightest_ = rank;
  }
}

Bytes workspace_class(Bytes bytes) {
  if (bytes < mib(1.0 / 16.0)) return Bytes(0.0);
  return Bytes(std::exp2(std::floor(std::log2(bytes.value()))));
}

}  // namespace brink::memory
