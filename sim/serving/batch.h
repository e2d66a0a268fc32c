// A batch from its forming to the handling of its output.
#pragma once

#include <cstdint>
#include <vector>

#include "models/cost/i_step_cost.h"
#include "models/plan/execution_plan.h"
#include "sim/serving/i_step_conditions.h"
#include "sim/serving/lane.h"

namespace brink::serving {

struct Batch {
  std::uint64_t number = 0;        // on the replica
  std::uint64_t lane_number = 0;   // in its lane
  Lane* lane = nullptr;
  Seconds formed, gpu_end;
  cost::StepTime time;             // what surrounds the replica added included
  plan::ExecutionPlan plan;        // valid when time.plan is set
  StepEffect effect;               // `wait` points to `wait` below
  std::vector<Seconds> wait;       // by rank
  Bytes workspace;
  double scatter = 1.0;            // of the KV blocks
  std::int64_t seats = 0;          // limit in force
  std::int64_t decode_sequences = 0, decode_context = 0, decode_blocks = 0, decode_longest = 0;
  std::int64_t prefill_tokens = 0, preemptions = 0;
  std::uint64_t members = 0;       // sum of member_hash() over its requests
  std::int64_t request = -1;       // id of one of them: the last that was put in, else the last to come of those that run
  std::vector<cost::PrefillChunk> chunks;
  std::vector<Slot> chunk_slots;   // whose chunks they are
  std::vector<Slot> first_tokens;  // prefill ends here
  std::vector<Slot> finishing;     // last token comes from here
  std::vector<Slot> joined;        // decode here for the first time, with KV from another replica
  std::vector<Slot> handed_over;   // prefill ends here; another replica decodes them
  std::vector<Slot> preempted;     // their last token before a preemption comes from here
};

}  // namespace brink::serving
