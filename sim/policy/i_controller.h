// Role: the SLO controller of one replica. After each step it sees what the step cost and sets the limits of the
// next batch; the mechanism applies them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/base/object_reader.h"
#include "models/base/units.h"

namespace brink::policy {

/// One replica after a step.
struct ControlView {
  std::uint64_t step = 0;
  Seconds step_time;             // from the end of the step before to the end of this one
  Seconds gpu_time;              // of them, the GPU was taken
  std::int64_t decode_sequences = 0, prefill_tokens = 0;
  std::int64_t running = 0, waiting = 0;
  std::int64_t free_blocks = 0, total_blocks = 0;
  std::int64_t max_num_seqs = 0, max_num_batched_tokens = 0;  // the engine's own limits
};

/// Limits of the next batch, within the engine's own.
struct ControlLimits {
  std::int64_t seats = 0;         // sequences that may run
  std::int64_t token_budget = 0;  // tokens a step
};

class IController {
 public:
  virtual ~IController() = default;
  /// Called once a step, in order; `limits` holds those in force.
  virtual void on_step(const ControlView& view, ControlLimits& limits) = 0;
};

}  // namespace brink::policy
