#include "sim/conditions/rank_slowdown.h"

#include <limits>

#include <fmt/format.h>

namespace brink::conditions {

std::string name_ranks(std::int64_t rank) { return rank == Target::all ? "all ranks" : fmt::format("rank {}", rank); }

Phase phase_of(const Target& target, const Schedule& schedule, ReplicaId replica, Seconds time) {
  constexpr double forever = std::numeric_limits<double>::infinity();
  if (!target.covers(replica)) return {false, Seconds(-forever), Seconds(forever)};
  return schedule.at(time);
}

Phase RankSlowdown::phase(ReplicaId replica, Seconds time) const {
  return phase_of(settings_.target, settings_.schedule, replica, time);
}

RankLoad RankSlowdown::load(ReplicaId, std::int64_t rank, Seconds) const {
  RankLoad out;
  if (settings_.target.covers_rank(rank)) out.slowdown = settings_.factor - 1.0;
  return out;
}

std::string RankSlowdown::describe() const {
  return fmt::format("{}: compute takes {:g} times as long", name_ranks(settings_.target.rank), settings_.factor);
}

}  // namespace brink::conditions
