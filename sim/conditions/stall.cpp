#include "sim/conditions/stall.h"

#include <fmt/format.h>

#include "sim/conditions/rank_slowdown.h"

namespace brink::conditions {

Phase Stall::phase(ReplicaId replica, Seconds time) const {
  return phase_of(settings_.target, settings_.schedule, replica, time);
}

RankLoad Stall::load(ReplicaId, std::int64_t rank, Seconds) const {
  RankLoad out;
  if (settings_.target.covers_rank(rank)) out.pause = settings_.extra;
  return out;
}

std::string Stall::describe() const {
  return fmt::format("{}: {:g} ms late in every step", name_ranks(settings_.target.rank), to_ms(settings_.extra));
}

}  // namespace brink::conditions
