#include "sim/conditions/rank_delays.h"

#include <algorithm>

namespace brink::conditions {

void RankSum::add(const RankLoad& load) {
  factor *= 1.0 + load.slowdown;
  clock *= load.clock;
  if (load.clock < 1.0) clock_bound = load.clock_bound;
  pause_s += load.pause.value();
}

double RankSum::late_share(double bound) const {
  const double share = clock_bound < 0.0 ? bound : clock_bound;
  return factor * (1.0 + share * (1.0 / clock - 1.0)) - 1.0;
}

void RankDelays::set(std::span<const RankSum> ranks, double compute_s, double bound, std::int64_t collectives, double times) {
  late.resize(ranks.size());
  pause.resize(ranks.size());
  late_max = pause_max = 0.0;
  late_rank = pause_rank = -1;
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    late[r] = compute_s * ranks[r].late_share(bound) * times;
    pause[r] = ranks[r].pause_s * times;
    if (late[r] > late_max) {
      late_max = late[r];
      late_rank = static_cast<std::int64_t>(r);
    }
  }
  // At the first collective a paused rank also carries its share of the rest; alone, or without collectives, the
  // ranks meet once, at the end.
  const double parts = static_cast<double>(std::max<std::int64_t>(collectives, 1));
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    const double beyond = pause[r] + (late[r] - late_max) / parts;
    if (pause[r] > 0.0 && beyond > pause_max) {
      pause_max = beyond;
      pause_rank = static_cast<std::int64_t>(r);
    }
  }
}

}  // namespace brink::conditions
