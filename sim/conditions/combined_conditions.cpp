#include "sim/conditions/combined_conditions.h"

#include <algorithm>

namespace brink::conditions {

void CombinedConditions::add(ReplicaId replica, serving::IStepConditions& part) {
  const auto i = static_cast<std::size_t>(replica.value);
  if (i >= by_replica_.size()) by_replica_.resize(i + 1);
  by_replica_[i].push_back(&part);
}

void CombinedConditions::include(serving::StepEffect& sum, Seconds& largest, const serving::StepEffect& part) {
  sum.sync += part.sync;
  sum.host += part.host;
  for (std::size_t r = 0; r < part.wait.size(); ++r) {
    if (r >= wait_.size()) wait_.resize(r + 1);
    wait_[r] += part.wait[r];
  }
  if (part.sync + part.host <= largest) return;
  largest = part.sync + part.host;
  sum.slowest_rank = part.slowest_rank;
  sum.cause = part.cause;
  sum.condition = part.condition;
}

serving::StepEffect CombinedConditions::on_step(const serving::StepQuery& query) {
  serving::StepEffect sum;
  Seconds largest(0.0);
  wait_.clear();
  for (serving::IStepConditions* part : parts_) include(sum, largest, part->on_step(query));
  const auto i = static_cast<std::size_t>(query.replica.value);
  if (i < by_replica_.size()) {
    for (serving::IStepConditions* part : by_replica_[i]) include(sum, largest, part->on_step(query));
  }
  sum.wait = wait_;
  return sum;
}

}  // namespace brink::conditions
