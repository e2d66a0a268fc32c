// Failing: everything on the replica's GPUs is lost; what had left the engine counts.
#include <algorithm>

#include "sim/serving/replica.h"

namespace brink::serving {

// In the order of service: those whose last step is under way, the running list, who waits.
std::vector<Slot> Replica::all_requests() const {
  std::vector<Slot> out;
  for (std::size_t i = 0; i < in_flight_; ++i) {
    const Batch& batch = batches_[(oldest_ + i) % batches_.size()];
    out.insert(out.end(), batch.finishing.begin(), batch.finishing.end());
  }
  for (Slot slot = first_running_; slot != no_slot; slot = parts_.pool[slot].next) out.push_back(slot);
  for (const Lane& lane : lanes_) out.insert(out.end(), lane.waiting.begin(), lane.waiting.end());
  return out;
}

// Batches of the lane, `first` to `last`, whose output nobody got.
std::int64_t Replica::under_way(const Lane& lane, std::uint64_t first, std::uint64_t last) const {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < in_flight_; ++i) {
    const Batch& batch = batches_[(oldest_ + i) % batches_.size()];
    if (batch.lane == &lane && batch.lane_number >= first && batch.lane_number <= last) ++count;
  }
  return count;
}

// Tokens that are in a preempted request's count and were to come from steps under way.
std::int64_t Replica::lost_with_preemption(const Lane& lane, Slot slot) const {
  for (std::size_t i = 0; i < in_flight_; ++i) {
    const Batch& batch = batches_[(oldest_ + i) % batches_.size()];
    if (std::find(batch.preempted.begin(), batch.preempted.end(), slot) == batch.preempted.end()) continue;
    return under_way(lane, parts_.pool[slot].prefill_batch, batch.lane_number);
  }
  return 0;
}

// As after a preemption: the prompt with what was generated is to be computed again.
void Replica::forget(Slot slot) {
  Sequence& s = parts_.pool[slot];
  const Lane& lane = lane_of(s);
  std::int64_t lost = 0;
  bool served = false;  // by a step whose output was handled
  if (s.phase == Phase::decoding || s.phase == Phase::finishing) {
    const auto steps = std::min(static_cast<std::int64_t>(lane.next_number - s.prefill_batch) - 1, s.remaining);
    lost = under_way(lane, s.prefill_batch, s.prefill_batch + static_cast<std::uint64_t>(steps));
    s.generated += steps;
    served = lost <= steps;
  } else if (s.phase == Phase::waiting) {
    lost = lost_with_preemption(lane, slot);
    served = lost > 0;
  }
  s.generated -= lost;
  if (served) s.last_token = lane.last_output;
  if (is_finite(s.record.scheduled) && !s.lost && around_.journal) around_.journal->on_departed(s);
  s.prompt = s.record.input_tokens + s.generated;
  s.prefilled = 0;
  s.blocks = {};
  s.shares = false;
  s.phase = Phase::waiting;
  ++s.epoch;
}

void Replica::reset() {
  const Seconds now = parts_.clock.now();
  for (Lane& lane : lanes_) {
    lane.waiting.clear();
    lane.partial = no_slot;
    lane.decoding = DecodeSet(config_.block_size);
    lane.shared = {};
    lane.seen_texts.clear();
  }
  if (turn_) turn_ = policy::make_round_robin_turn();
  first_running_ = last_running_ = no_slot;
  running_ = 0;
  kv_.release(kv_.used());
  blocks_ = memory::BlockHistory(config_.kv_blocks);
  limits_ = {config_.max_num_seqs, config_.max_num_batched_tokens};
  oldest_ = in_flight_ = 0;
  preemptions_ = 0;
  forming_ = false;
  joined_.clear();
  gpu_free_ = host_free_ = stream_free_ = last_end_ = now;
  ++life_;
}

std::vector<Slot> Replica::fail() {
  std::vector<Slot> out = all_requests();
  for (const Slot slot : out) forget(slot);
  reset();
  parts_.recorder.on_queue(id_, parts_.clock.now(), 0);
  return out;
}

void Replica::recover() { gpu_free_ = host_free_ = stream_free_ = last_end_ = parts_.clock.now(); }

}  // namespace brink::serving
