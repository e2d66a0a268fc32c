// A GPU that begins every step late while the stall lasts: its host thread is descheduled, it dequantises again, an
// interrupt storm. What is given is what is left after launch-ahead: the lateness on the GPU.
#pragma once

#include "sim/conditions/i_rank_condition.h"
#include "sim/conditions/target.h"

namespace brink::conditions {

struct StallSettings {
  Target target;
  Schedule schedule;
  Seconds extra;  // added to every step that is launched while it acts, before its first collective
};

class Stall final : public IRankCondition {
 public:
  explicit Stall(const StallSettings& settings) : settings_(settings) {}

  [[nodiscard]] Phase phase(ReplicaId replica, Seconds time) const override;
  [[nodiscard]] RankLoad load(ReplicaId replica, std::int64_t rank, Seconds time) const override;
  [[nodiscard]] std::int64_t rank() const override { return settings_.target.rank; }
  [[nodiscard]] std::string describe() const override;

 private:
  StallSettings settings_;
};

}  // namespace brink::conditions
