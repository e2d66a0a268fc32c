// /conditions of kind replica_failure and node_failure.
#pragma once

#include <cstdint>
#include <optional>

#include "models/base/object_reader.h"
#include "models/base/units.h"
#include "sim/serving/failures.h"

namespace brink::scenario {

struct Condition;
struct ConditionContext;

struct FailureSettings {
  std::int64_t replica = -1;   // -1: a node's
  std::int64_t node = -1;      // -1: one replica
  std::int64_t rank = -1;      // whose GPU broke; -1: not said
  Seconds at;
  std::optional<Seconds> recovers_after;
  serving::OnFailure on_failure = serving::OnFailure::retry;
};

/// "replica" (required), "rank" (of the GPU that broke; a replica without one of its ranks serves nothing).
void read_replica_failure(ObjectReader& in, const ConditionContext& context, Condition& out);
/// "node" (required): every replica with a rank on it fails.
void read_node_failure(ObjectReader& in, const ConditionContext& context, Condition& out);

}  // namespace brink::scenario
