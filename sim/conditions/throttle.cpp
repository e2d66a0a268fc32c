#include "sim/conditions/throttle.h"

#include <algorithm>

#include <fmt/format.h>

#include "sim/conditions/rank_slowdown.h"

namespace brink::conditions {

Throttle::Throttle(const ThrottleSettings& settings) : settings_(settings), recovered_(settings.schedule.until) {
  const Schedule& s = settings_.schedule;
  if (!(settings_.ramp > Seconds(0.0)) || !is_finite(s.until)) return;
  lowest_ = gpu::clock_falling(settings_.limits, settings_.clock, s.until - s.from, settings_.ramp);
  recovered_ = s.until + gpu::recovery_time(settings_.limits, lowest_, settings_.ramp);
}

Phase Throttle::phase(ReplicaId replica, Seconds time) const {
  Schedule whole = settings_.schedule;
  whole.until = recovered_;
  return phase_of(settings_.target, whole, replica, time);
}

Seconds Throttle::steady_until(Seconds time, const Phase& phase) const {
  if (!phase.acting) return phase.until;
  const Schedule& s = settings_.schedule;
  if (time < s.until) {
    return std::min(s.until, s.from + gpu::next_fall(settings_.limits, settings_.clock, time - s.from, settings_.ramp));
  }
  return std::min(phase.until, s.until + gpu::next_rise(settings_.limits, lowest_, time - s.until, settings_.ramp));
}

double Throttle::clock(Seconds time) const {
  const Schedule& s = settings_.schedule;
  if (time < s.from || time >= recovered_) return 1.0;
  if (time < s.until) return gpu::clock_falling(settings_.limits, settings_.clock, time - s.from, settings_.ramp);
  return gpu::clock_rising(settings_.limits, lowest_, time - s.until, settings_.ramp);
}

RankLoad Throttle::load(ReplicaId, std::int64_t rank, Seconds time) const {
  RankLoad out;
  if (!settings_.target.covers_rank(rank)) return out;
  out.clock = clock(time);
  out.clock_bound = settings_.clock_bound;
  return out;
}

std::string Throttle::describe() const {
  return fmt::format("{}: clocks fall to {:.3g} of the highest", name_ranks(settings_.target.rank),
                     gpu::on_ladder(settings_.limits, settings_.clock));
}

}  // namespace brink::conditions
