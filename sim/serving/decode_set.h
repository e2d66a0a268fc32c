// The decoding sequences of a replica as sums: a step is O(1) in their number.
//
// Every decoding sequence gains one token in every batch, so what a batch needs follows from
// counts kept when a sequence joins or leaves. A sequence whose prefill of P tokens ended in
// batch b reads P + (d - b) tokens in batch d, and opens a new KV block in the batches
// d = b + 1 - P (mod block size): that residue is its bucket. Attention works in blocks of 128
// tokens, whose number grows by the same rule.
#pragma once

#include <array>
#include <cstdint>
#include <queue>
#include <vector>

#include "sim/serving/sequence.h"

namespace brink::serving {

class DecodeSet {
 public:
  /// Tokens of a block in the attention kernels' tiling of the context.
  static constexpr std::int64_t attention_block = 128;

  explicit DecodeSet(std::int64_t block_size) : opening_(static_cast<std::size_t>(block_size), 0) {}

  [[nodiscard]] std::int64_t size() const { return size_; }
  /// KV tokens of all members after the last batch begun.
  [[nodiscard]] std::int64_t context() const { return context_; }
  /// Sum over the members of ceil(KV tokens / 128) after the last batch begun.
  [[nodiscard]] std::int64_t attention_blocks() const { return attention_blocks_; }
  /// No member holds more KV tokens than this after batch `last_batch`; exact until the longest one leaves, and
  /// again once the set was empty.
  [[nodiscard]] std::int64_t longest(std::uint64_t last_batch) const {
    return size_ == 0 ? 0 : longest_ + static_cast<std::int64_t>(last_batch);
  }
  /// New KV blocks batch `number` needs for the members.
  [[nodiscard]] std::int64_t blocks_to_open(std::uint64_t number) const { return opening_[number % opening_.size()]; }

  /// `sequence`'s prefill ends in batch `prefill_batch` with `remaining` >= 1 decode steps to go.
  void join(Slot slot, Sequence& sequence, std::uint64_t prefill_batch, std::int64_t remaining);
  /// Takes out a member that is preempted; `last_batch` is the last batch begun.
  void leave(Sequence& sequence, std::uint64_t last_batch);
  /// Begins batch `number`: every member gains a token.
  void advance(std::uint64_t number) {
    context_ += size_;
    attention_blocks_ += opening_attention_[number % attention_block];
  }
  /// Takes out the members whose last token comes in batch `number` (already begun) and
  /// appends their slots, in order of joining.
  void finish(std::uint64_t number, const SequencePool& pool, std::vector<Slot>& finished);

  /// KV tokens a member holds once batch `last_batch` has begun.
  [[nodiscard]] static std::int64_t tokens(const Sequence& sequence, std::uint64_t last_batch) {
    return sequence.prompt + static_cast<std::int64_t>(last_batch - sequence.prefill_batch);
  }

 private:
  struct Finish {
    std::uint64_t batch;
    std::uint64_t order;  // of joining: ties are handled first come, first served
    Slot slot;
    std::uint32_t epoch;
  };
  struct Later {
    bool operator()(const Finish& a, const Finish& b) const {
      return a.batch != b.batch ? a.batch > b.batch : a.order > b.order;
    }
  };

  void remove(const Sequence& sequence, std::uint64_t last_batch);
  [[nodiscard]] static std::size_t bucket(const Sequence& sequence, std::size_t block_size);

  std::int64_t size_ = 0;
  std::int64_t context_ = 0;
  std::uint64_t joined_ = 0;
  std::vector<std::int64_t> opening_;  // by residue of the batch number
  std::array<std::int64_t, attention_block> opening_attention_{};
  std::int64_t attention_blocks_ = 0;
  std::int64_t longest_ = 0;           // tokens less batch number
  std::priority_queue<Finish, std::vector<Finish>, Later> finishes_;
};

}  // namespace brink::serving
