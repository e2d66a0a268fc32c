// What decode attention reads from L2 instead of HBM, by reuse distance: a stream hits L2 only where the bytes
// touched between its uses fit in it (Mattson et al., IBM Systems Journal 9(2), 1970). The weights of every layer
// pass between two steps' uses of a KV block, so KV of a large model never hits from step to step. Reuse of KV by
// the query heads of a group is inside the kernel and inside its measured time; what is left is a prefix that
// several sequences of a batch share, and models whose weights and KV fit in L2.
#pragma once

#include <cstdint>
#include <optional>

#include "models/base/units.h"

namespace brink::gpu {

/// Share of hits 1 / (1 + (distance / capacity)^sharpness): half of it is left at the capacity.
struct CacheModel {
  /// Default: 80 % of the 50 MiB of an H100. Published decode-attention timings that repeat on the same KV run from
  /// L2 up to 32 MB and from HBM at 64 MB (NVIDIA AIConfigurator database).
  Bytes capacity = mib(40);
  double sharpness = 6.0;
  BytesPerSecond cache_rate{5.0e12};   // L2 reads; 5.5 TB/s in microbenchmarks (Chips and Cheese, H100), less in attention
  BytesPerSecond memory_rate{3.18e12}; // best streaming read of HBM3 (BabelStream dot)

  /// Of reads at `distance` bytes from their previous use; exactly 0 from eight capacities on.
  [[nodiscard]] double hit_share(Bytes distance) const;
};

/// Address translation: reads slow down where more is touched than the TLBs cover. Random reads on A100 run at full
/// speed inside 64 GB (arXiv 2405.11425) and no cliff is known on Hopper: without a measured reach there is none.
struct TranslationModel {
  std::optional<Bytes> reach;  // half of the slow-down is paid here
  double slowdown = 0.0;       // added share of the time of independent reads far beyond the reach

  [[nodiscard]] double factor(Bytes touched) const;
};

/// Gathering blocks against reading on: rate = rate_max / (1 + half_block / run). Default: each run wastes one
/// 64-byte access of the memory at its ends.
struct GatherModel {
  Bytes half_block{64.0};
};

struct MemoryHierarchy {
  CacheModel cache;
  TranslationModel translation;
  GatherModel gather;
};

/// Decode attention of one rank in one step. KV bytes are sums over all layers.
struct AttentionTraffic {
  Bytes weights{0.0};           // of the rank: they pass between two steps' uses of its KV
  Bytes kv{0.0};                // read: sum over the sequences of their KV
  std::int64_t layers = 1;
  std::int64_t sequences = 1;
  Bytes shared_kv{0.0};         // of the prefix that `sharers` sequences read, one copy
  std::int64_t sharers = 0;
  Bytes span{0.0};              // addresses the KV is scattered over: the pool
  Bytes block{0.0};             // one layer's K or V of one KV block; 0: not asked
  double scatter = 1.0;         // share of a sequence's blocks that do not follow their predecessor in memory
};

/// Share of the KV reads that L2 answers, [0, 1).
[[nodiscard]] double kv_cache_share(const AttentionTraffic& traffic, const CacheModel& cache);

/// Time of gathering runs of mean length block / scatter over that of lone blocks (scatter 1), which is what paged
/// kernels were timed on: their 20..26 % over contiguous KV (Kwon et al., SOSP 2023) is inside those times.
[[nodiscard]] double block_scatter_factor(Bytes block, double scatter, const GatherModel& gather);

/// What to multiply decode attention's measured time by, whose KV was read from HBM in random blocks. `measured` is
/// that time for one layer: only the part of it that HBM's bandwidth explains can change.
[[nodiscard]] double attention_memory_factor(const AttentionTraffic& traffic, const MemoryHierarchy& hierarchy, Seconds measured);

}  // namespace brink::gpu
