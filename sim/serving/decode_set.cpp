#include "sim/serving/decode_set.h"

#include <algorithm>

namespace brink::serving {

std::size_t DecodeSet::bucket(const Sequence& sequence, std::size_t block_size) {
  const auto size = static_cast<std::int64_t>(block_size);
  const std::int64_t residue = (static_cast<std::int64_t>(sequence.prefill_batch) + 1 - sequence.prompt) % size;
  return static_cast<std::size_t>(residue < 0 ? residue + size : residue);
}

namespace {

std::int64_t attention_blocks_of(std::int64_t tokens) {
  return (tokens + DecodeSet::attention_block - 1) / DecodeSet::attention_block;
}

}  // namespace

void DecodeSet::join(Slot slot, Sequence& sequence, std::uint64_t prefill_batch, std::int64_t remaining) {
  sequence.phase = Phase::decoding;
  sequence.prefill_batch = prefill_batch;
  sequence.remaining = remaining;
  const std::int64_t offset = sequence.prompt - static_cast<std::int64_t>(prefill_batch);
  longest_ = size_ == 0 ? offset : std::max(longest_, offset);
  ++size_;
  context_ += sequence.prompt;
  ++opening_[bucket(sequence, opening_.size())];
  attention_blocks_ += attention_blocks_of(sequence.prompt);
  ++opening_attention_[bucket(sequence, attention_block)];
  finishes_.push({prefill_batch + static_cast<std::uint64_t>(remaining), joined_++, slot, sequence.epoch});
}

void DecodeSet::remove(const Sequence& sequence, std::uint64_t last_batch) {
  --size_;
  const std::int64_t held = tokens(sequence, last_batch);
  context_ -= held;
  --opening_[bucket(sequence, opening_.size())];
  attention_blocks_ -= attention_blocks_of(held);
  --opening_attention_[bucket(sequence, attention_block)];
}

void DecodeSet::leave(Sequence& sequence, std::uint64_t last_batch) {
  remove(sequence, last_batch);
  ++sequence.epoch;
}

void DecodeSet::finish(std::uint64_t number, const SequencePool& pool, std::vector<Slot>& finished) {
  while (!finishes_.empty() && finishes_.top().batch <= number) {
    const Finish entry = finishes_.top();
    finishes_.pop();
    const Sequence& sequence = pool[entry.slot];
    if (sequence.epoch != entry.epoch || sequence.phase != Phase::decoding) continue;
    remove(sequence, number);
    finished.push_back(entry.slot);
  }
}

}  // namespace brink::serving
