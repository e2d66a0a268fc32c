#include "sim/conditions/mid_collective_eviction.h"

#include <utility>

namespace brink::conditions {

serving::StepEffect MidCollectiveEviction::on_step(const serving::StepQuery& query) {
  serving::StepEffect effect;
  if (evicted_ == 0 || query.collectives == 0 || query.ranks < 2) return effect;
  effect.sync = settings_.per_token * static_cast<double>(std::exchange(evicted_, 0));
  const auto ranks = static_cast<std::uint64_t>(query.ranks);
  const std::uint64_t late = random_.below(ranks, {query.step, query.replica.value});
  wait_.assign(ranks, effect.sync);
  wait_[late] = Seconds(0.0);
  effect.slowest_rank = static_cast<std::int64_t>(late);
  effect.wait = wait_;
  effect.cause = events_.act(query.launch);
  events_.rest();
  return effect;
}

}  // namespace brink::conditions
