// How scattered the KV blocks of running sequences are, as the allocator's own history leaves them. Free blocks
// form a queue: the next one needed is the one that has been free longest, and a departing sequence's go to its end,
// last block first (vLLM V1, v1/core/block_pool.py and kv_cache_utils.py, FreeKVCacheBlockQueue). Nothing ever puts
// the queue back into order.
//
// Blocks are not followed one by one. The queue is kept as segments, each what one sequence gave back: how many
// blocks, and how many of its neighbouring pairs are breaks (block numbers that are not next to each other). A part
// of a segment has its share of the breaks. Costs are O(1) for each hand-out and departure, amortised.
#pragma once

#include <cstdint>
#include <deque>

namespace brink::memory {

/// The blocks one sequence got for its prompt.
struct BlockTable {
  std::int64_t blocks = 0;
  double breaks = 0.0;  // expected, of its blocks - 1 neighbouring pairs
};

class BlockHistory {
 public:
  /// A fresh pool: block numbers in order.
  explicit BlockHistory(std::int64_t blocks);

  /// The sequence of `table` gets the next `blocks` of the queue.
  void take(BlockTable& table, std::int64_t blocks);
  /// `count` of `decoding` sequences get a block each, in turn.
  void grow(std::int64_t count, std::int64_t decoding);
  /// The sequence gives back its table and the `grown` blocks it got while decoding, but for `held` of them, its
  /// last ones, which put_back() returns later.
  void give_back(const BlockTable& table, std::int64_t grown, std::int64_t held = 0);
  void put_back(std::int64_t held);

  /// Share of neighbouring blocks of running sequences that are not neighbours in memory: 0 all in one piece, 1 none.
  [[nodiscard]] double scatter() const;
  /// Mean length of a contiguous run of blocks of a running sequence; 0 when nothing runs.
  [[nodiscard]] double run_blocks() const;
  [[nodiscard]] std::int64_t free() const { return free_; }

 private:
  struct Segment {
    std::int64_t blocks = 0;
    double breaks = 0.0;  // of its blocks - 1 inner pairs
  };

  /// Takes `blocks` from the head; returns the breaks among them and, first of all, before them.
  double pop(std::int64_t blocks);
  void push(std::int64_t blocks, double breaks);

  std::deque<Segment> queue_;
  double head_break_ = 1.0;           // probability that the head does not follow the block handed out last
  std::int64_t free_ = 0;
  std::int64_t live_blocks_ = 0, live_sequences_ = 0;
  double live_breaks_ = 0.0;
  std::int64_t grown_ = 0;            // of live_blocks_, handed out while decoding
  double grown_breaks_ = 0.0;         // of live_breaks_, before those
  std::int64_t held_ = 0;
  double held_breaks_ = 0.0;
};

}  // namespace brink::memory
