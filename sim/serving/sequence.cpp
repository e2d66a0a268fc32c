#include "sim/serving/sequence.h"

#include <limits>
#include <utility>

namespace brink::serving {

Slot SequencePool::take(const workload::Request& request) {
  Slot slot = 0;
  if (free_.empty()) {
    slot = static_cast<Slot>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  const Seconds never(std::numeric_limits<double>::quiet_NaN());
  Sequence sequence;
  sequence.record.id = request.id;
  sequence.record.arrival = request.arrival;
  sequence.record.sent = sequence.record.queued = sequence.record.scheduled = never;
  sequence.record.first_token = sequence.record.finish = never;
  sequence.record.input_tokens = sequence.record.raw_input_tokens = request.input_tokens;
  sequence.output_target = request.output_tokens;
  sequence.prompt = sequence.kept_prefix = request.input_tokens;
  sequence.record.tenant = request.tenant;
  sequence.record.idle_ttft = sequence.record.idle_e2e = never;
  // Epochs go on over reuse, so that an entry about the former owner is stale too.
  sequence.epoch = slots_[slot].epoch + 1;
  slots_[slot] = std::move(sequence);
  return slot;
}

}  // namespace brink::serving
