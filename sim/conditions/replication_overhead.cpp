#include "sim/conditions/replication_overhead.h"

namespace brink::conditions {

void ReplicationOverhead::add(ReplicaId replica, Replication& replication) {
  if (replica.value >= by_replica_.size()) by_replica_.resize(replica.value + 1);
  by_replica_[replica.value].push_back(&replication);
}

serving::StepEffect ReplicationOverhead::on_step(const serving::StepQuery& query) {
  serving::StepEffect effect;
  if (query.replica.value >= by_replica_.size()) return effect;
  double largest = 0.0;
  for (Replication* replication : by_replica_[query.replica.value]) {
    const double share = replication->settings().step_overhead;
    if (share <= 0.0 || !replication->active(query.launch)) continue;
    effect.sync += (query.compute + query.comm) * share;
    if (share <= largest) continue;
    largest = share;
    effect.cause = replication->act(query.launch);
    effect.condition = replication->settings().condition;
  }
  return effect;
}

}  // namespace brink::conditions
