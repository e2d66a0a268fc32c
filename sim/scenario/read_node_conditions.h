// Readers of the conditions inside a node: slow ranks, stalls, host pacing, clocks, cards that differ.
#pragma once

#include "sim/scenario/condition.h"

namespace brink::scenario {

// Each reads its own fields of one entry of /conditions. Throws ConfigError with the pointer of the field.
void read_slow_rank(ObjectReader& in, const ConditionContext& context, Condition& out);
void read_stall(ObjectReader& in, const ConditionContext& context, Condition& out);
void read_jitter(ObjectReader& in, const ConditionContext& context, Condition& out);
void read_throttle(ObjectReader& in, const ConditionContext& context, Condition& out);
void read_gpu_spread(ObjectReader& in, const ConditionContext& context, Condition& out);

}  // namespace brink::scenario
