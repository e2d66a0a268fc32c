// Where the bytes of one rank's card are at a moment, and how much scratch memory its kernels find.
#pragma once

#include <cstdint>

#include "models/base/random.h"
#include "models/base/units.h"
#include "models/memory/memory_budget.h"

namespace brink::memory {

/// How an engine gives its kernels scratch memory.
struct RankMemoryOptions {
  /// Of a stream: 32 MiB on Hopper, 4 MiB elsewhere, whatever is free (PyTorch pull requests 120925, 101145).
  Bytes workspace = mib(32);
  std::int64_t streams = 1;
  /// Scratch memory comes from the arena that KV grows into: kernels find what KV has left, nothing is set aside.
  bool dynamic_workspace = false;
  /// Ranks place KV by themselves: the free memory of each lies in pieces of its own, and scratch memory has to
  /// fit into one of them. The rank with the shortest piece decides what is legal for all.
  bool per_rank_allocator = false;
  std::int64_t ranks = 1;
  /// Captured CUDA graphs; 0: eager.
  std::int64_t graphs = 0;
  std::uint64_t seed = 0, replica = 0;  // of the ranks' allocation histories
};

/// Blocks of the KV pool by what they are used for; the rest is free.
struct KvUse {
  std::int64_t live = 0;    // of requests in the engine
  std::int64_t cached = 0;  // of departed requests, evictable
  std::int64_t pinned = 0;  // of departed requests, kept by replication or a checkpoint
};

/// One rank's card. The parts add up to `total`.
struct Card {
  Bytes total;
  Bytes weights, activations;
  Bytes workspace;       // set aside for the streams; with dynamic_workspace what of the arena is free
  Bytes graphs;          // pool of the captured CUDA graphs
  Bytes communicators;   // NCCL, custom all-reduce and symmetric buffers
  Bytes runtime;         // loaded modules and libraries, workspaces aside
  Bytes kv_live, kv_cached, kv_pinned;
  Bytes kv_free;         // with dynamic_workspace 0: it is the workspace
  Bytes unused;          // outside the engine's share: context, graphs' rest, slack

  [[nodiscard]] Bytes sum() const;
};

class RankMemory {
 public:
  RankMemory(const MemoryBudget& budget, const RankMemoryOptions& options);

  /// The ledger of the card now.
  [[nodiscard]] Card card(const KvUse& use) const;

  /// Tells how many KV blocks are in use (live and pinned) and returns the scratch memory one stream's kernels
  /// find on the rank that has least. O(1) but for a turnover of the pool, which is O(ranks).
  Bytes workspace(std::int64_t kv_blocks_used);
  /// Of one rank, at the occupancy told last. Equal on all ranks without per_rank_allocator.
  [[nodiscard]] Bytes workspace_of(std::int64_t rank) const;
  /// The rank that decides; 0 without per_rank_allocator.
  [[nodiscard]] std::int64_t tightest_rank() const { return tightest_; }

 private:
  void renew();
  [[nodiscard]] double luck(std::int64_t rank) const;
  [[nodiscard]] Bytes piece(double luck) const;
  [[nodiscard]] Bytes limit(Bytes piece) const;
  [[nodiscard]] std::int64_t age(std::int64_t rank) const;

  MemoryBudget budget_;
  RankMemoryOptions options_;
  RandomStream history_;
  std::int64_t used_ = 0;
  std::int64_t handed_out_ = 0;     // blocks, since the start
  std::int64_t next_renewal_ = 0;   // of some rank's history, in blocks handed out
  std::int64_t tightest_ = 0;
  double tightest_luck_ = 0.0;
};

/// `bytes` rounded down to a power of two, 0 below 64 KiB: the classes in which tables of plans by scratch memory
/// are kept. Never more than there is, so no tactic is called legal that is not.
[[nodiscard]] Bytes workspace_class(Bytes bytes);

}  // namespace brink::memory
