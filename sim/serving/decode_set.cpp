#include "sim/serving/decode_set.h"

namespace brink::serving {

std::size_t DecodeSet::bucket(const Sequence& sequence) const {
  const auto size = static_cast<std::int64_t>(opening_.size());
  const std::int64_t residue = (static_cast<std::int64_t>(sequence.prefill_batch) + 1 - sequence.prompt) % size;
  return static_cast<std::size_t>(residue < 0 ? residue + size : residue);
}

void DecodeSet::join(Slot slot, Sequence& sequence, std::uint64_t prefill_batch, std::int64_t remaining) {
  sequence.phase = Phase::decoding;
  sequence.prefill_batch = prefill_batch;
  sequence.remaining = remaining;
  ++size_;
  context_ += sequence.prompt;
  ++opening_[bucket(sequence)];
  finishes_.push({prefill_batch + static_cast<std::uint64_t>(remaining), joined_++, slot, sequence.epoch});
}

void DecodeSet::remove(const Sequence& sequence, std::uint64_t last_batch) {
  --size_;
  context_ -= tokens(sequence, last_batch);
  --opening_[bucket(sequence)];
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
