// A GPU whose kernels take longer by a constant factor, the whole run or for an interval: fail-slow hardware
// (FALCON, arXiv 2410.12588: intervals from under a minute to ten hours), a neighbour on the same host, a hot card.
#pragma once

#include "sim/conditions/i_rank_condition.h"
#include "sim/conditions/target.h"

namespace brink::conditions {

struct RankSlowdownSettings {
  Target target;
  Schedule schedule;
  double factor = 1.0;  // >= 1, of compute time
};

class RankSlowdown final : public IRankCondition {
 public:
  explicit RankSlowdown(const RankSlowdownSettings& settings) : settings_(settings) {}

  [[nodiscard]] Phase phase(ReplicaId replica, Seconds time) const override;
  [[nodiscard]] RankLoad load(ReplicaId replica, std::int64_t rank, Seconds time) const override;
  [[nodiscard]] std::int64_t rank() const override { return settings_.target.rank; }
  [[nodiscard]] std::string describe() const override;

 private:
  RankSlowdownSettings settings_;
};

/// "rank 5", "all ranks".
[[nodiscard]] std::string name_ranks(std::int64_t rank);
/// When `schedule` acts on `replica`: never, unless `target` covers it.
[[nodiscard]] Phase phase_of(const Target& target, const Schedule& schedule, ReplicaId replica, Seconds time);

}  // namespace brink::conditions
