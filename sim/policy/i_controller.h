// Role: the SLO controller of one replica. After each step it sees what the step cost and sets the limits of the
// next batch; the mechanism applies them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "models/base/object_reader.h"
#include "models/base/units.h"

namespace brink::policy {

/// One replica after a step: counts that the engine's own statistics hold, nothing of the future.
struct ControlView {
  std::uint64_t step = 0;
  Seconds step_time;             // from the end of the step before, or from its forming after a pause, to its end
  Seconds gpu_time;              // of them, the GPU was taken
  std::int64_t decode_sequences = 0, prefill_tokens = 0;  // of this step
  std::int64_t running = 0, waiting = 0;                  // after it
  std::int64_t free_blocks = 0, total_blocks = 0;         // total: without those that are pinned
  std::int64_t max_num_seqs = 0, max_num_batched_tokens = 0;  // the engine's own limits
  std::int64_t block_size = 16;
  /// Requests that ended with this step, their prompt and answer tokens summed, and the squares of
  /// these lengths summed.
  std::int64_t finished = 0, finished_tokens = 0;
  double finished_tokens_squared = 0.0;
};

/// Limits of the next batch, within the engine's own. They bound what is added to a batch:
/// a running sequence is never paused (vLLM V1 schedules running requests before it looks at
/// the waiting ones; v1/core/sched/scheduler.py), so a batch shrinks as its answers end.
struct ControlLimits {
  std::int64_t seats = 0;         // sequences that may run, >= 1
  std::int64_t token_budget = 0;  // tokens a step, >= 1; only chunked prefill can be held to it

  friend bool operator==(const ControlLimits&, const ControlLimits&) = default;
};

/// What the engine allows by itself.
[[nodiscard]] inline ControlLimits engine_limits(const ControlView& view) {
  return {view.max_num_seqs, view.max_num_batched_tokens};
}

/// Tokens the next step may hold: decoding sequences have theirs whatever the controller says, and
/// without chunked prefill a smaller budget than the engine's could never take a long prompt.
[[nodiscard]] inline std::int64_t budget_in_force(const ControlLimits& limits, std::int64_t engine_budget,
                                                  std::int64_t decode_sequences, bool chunked_prefill) {
  return chunked_prefill ? std::clamp(limits.token_budget, std::max<std::int64_t>(decode_sequences, 1), engine_budget)
                         : engine_budget;
}

/// Whether the seat limit, lower than the engine's, keeps somebody waiting now.
[[nodiscard]] inline bool cuts_batch(const ControlLimits& limits, const ControlView& view) {
  return limits.seats < view.max_num_seqs && view.running >= limits.seats && view.waiting > 0;
}

class IController {
 public:
  virtual ~IController() = default;
  /// Called once a step, in order; `limits` holds those in force, at first the engine's own. O(1), amortised.
  virtual void on_step(const ControlView& view, ControlLimits& limits) = 0;
};

/// Makes a controller with settings that were read once; every replica has its own.
using ControllerMaker = std::function<std::unique_ptr<IController>()>;

/// Names of the known controllers, the default ("none") first.
[[nodiscard]] std::vector<std::string> controller_names();
/// Reads the parameters of controller `name` (one of controller_names(), asserted), writing each with its value
/// to `resolved`. The caller calls in.finish(). Throws ConfigError.
[[nodiscard]] ControllerMaker read_controller(const std::string& name, ObjectReader& in, Json& resolved);

// One file a policy; each is a line in the table of controller_table.cpp.
[[nodiscard]] ControllerMaker read_no_control(ObjectReader& in, Json& resolved);
[[nodiscard]] ControllerMaker read_pang_controller(ObjectReader& in, Json& resolved);
[[nodiscard]] ControllerMaker read_aimd_controller(ObjectReader& in, Json& resolved);

}  // namespace brink::policy
