// Conditions that use KV blocks in the background: "replication" and "checkpoint".
#pragma once

#include <vector>

#include "sim/conditions/kv_consumers.h"
#include "sim/scenario/condition.h"
#include "sim/scenario/read_hypotheses.h"

namespace brink::scenario {

// Each reads its own fields of one entry of /conditions. Throws ConfigError with the pointer of the field.
void read_replication(ObjectReader& in, const ConditionContext& context, Condition& out);
void read_checkpoint(ObjectReader& in, const ConditionContext& context, Condition& out);

/// What of /conditions and /hypotheses uses KV blocks; empty when nothing does. Throws ConfigError when two entries
/// share a link and say different things of it. `seed` is the run's.
[[nodiscard]] conditions::KvConsumerSettings kv_consumer_settings(const std::vector<Condition>& conditions,
                                                                  const Hypotheses& hypotheses, std::uint64_t seed);

}  // namespace brink::scenario
