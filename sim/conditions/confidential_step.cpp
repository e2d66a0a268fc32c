#include "sim/conditions/confidential_step.h"

namespace brink::conditions {

cost::StepTime ConfidentialStepCost::step(const cost::StepShape& shape) {
  cost::StepTime time = plain_->step(shape);
  StepCopies copies;
  copies.sequences = shape.decode_sequences + static_cast<std::int64_t>(shape.chunks.size());
  copies.tokens = copies.sampled = shape.decode_sequences;
  for (const cost::PrefillChunk& chunk : shape.chunks) {
    copies.tokens += chunk.tokens;
    copies.sampled += chunk.last ? 1 : 0;
  }
  copies.blocks_per_sequence = blocks_;
  time.host_before += cost_.host_before(copies);
  time.host_after += cost_.host_after(copies);
  return time;
}

}  // namespace brink::conditions
