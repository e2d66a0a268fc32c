#include "sim/conditions/gpu_spread.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sim/conditions/rank_slowdown.h"

namespace brink::conditions {

Phase GpuSpread::phase(ReplicaId replica, Seconds time) const {
  return phase_of(settings_.target, Schedule{}, replica, time);
}

RankLoad GpuSpread::load(ReplicaId replica, std::int64_t rank, Seconds) const {
  const StreamKey key{replica.value, 0, static_cast<std::uint64_t>(rank)};
  RankLoad out;
  const bool outlier = stream_.uniform(key, 1) < settings_.outlier_share;
  out.slowdown = std::expm1(settings_.deviation * std::max(stream_.normal(key, 0), 0.0));
  if (outlier) out.slowdown = (1.0 + out.slowdown) * settings_.outlier_factor - 1.0;
  return out;
}

std::string GpuSpread::describe() const {
  return fmt::format("GPUs differ by {:g} % (standard deviation)", 100.0 * settings_.deviation);
}

}  // namespace brink::conditions
