// One entry of /conditions, read, and what its readers share.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "models/base/object_reader.h"
#include "models/gpu/clocks.h"
#include "sim/conditions/checkpoint.h"
#include "sim/conditions/gpu_spread.h"
#include "sim/conditions/jitter.h"
#include "sim/conditions/rank_slowdown.h"
#include "sim/conditions/replication.h"
#include "sim/conditions/stall.h"
#include "sim/conditions/throttle.h"
#include "sim/scenario/read_failures.h"

namespace brink::scenario {

/// What a condition may refer to.
struct ConditionContext {
  std::int64_t replicas = 1;
  std::int64_t ranks = 1;            // of a replica
  std::int64_t nodes = 1;            // of the cluster
  bool eager = false;                // the engine launches every kernel from the host
  gpu::ClockLimits clocks;
};

/// The settings of every kind; one line each.
using ConditionSettings = std::variant<std::monostate,
                                       conditions::RankSlowdownSettings,
                                       conditions::StallSettings,
                                       conditions::JitterSettings,
                                       conditions::ThrottleSettings,
                                       conditions::GpuSpreadSettings,
                                       conditions::ReplicationSettings,
                                       conditions::CheckpointSettings,
                                       FailureSettings>;

struct Condition {
  std::string kind;
  /// Names its random draws, so that other entries do not move them: the given one, or kind and fields.
  std::string name;
  std::int32_t index = 0;            // in /conditions
  conditions::Target target;
  conditions::Schedule schedule;
  ConditionSettings settings;
  Json resolved = Json::object();    // every field with its value
};

/// Reads "replica" (a number or "all", the default) and, where `with_rank`, "rank" (the same; required).
void read_target(ObjectReader& in, const ConditionContext& context, bool with_rank, Condition& out);
/// Reads "from_s" and "until_s" (the whole run by default); where `with_bursts`, also "period_s" and "duty", the share of
/// each period in which it acts.
void read_schedule(ObjectReader& in, bool with_bursts, Condition& out);

}  // namespace brink::scenario
