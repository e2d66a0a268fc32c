// GPUs of one type that are not equally fast: manufacturing and power management differ from card to card.
// Sinha et al. 2022 (SC'22, arXiv 2208.11035): 8 % between the fastest and the slowest of a cluster on average
// (22 % at most), outliers up to 1.5 times slower than the median.
#pragma once

#include "models/base/random.h"
#include "sim/conditions/i_rank_condition.h"
#include "sim/conditions/target.h"

namespace brink::conditions {

struct GpuSpreadSettings {
  Target target;                 // rank: all
  /// Standard deviation of the logarithm of a GPU's slowness. The source's ranges leave outliers out, so 8 % spans the
  /// whiskers of a box plot, 5.4 standard deviations of a normal: 1.5 %; its worst cluster's 22 % give 4 %.
  double deviation = 0.015;
  double outlier_share = 0.0;    // of GPUs; the source gives no share
  double outlier_factor = 1.5;
};

/// Draws one factor for each (replica, rank). The calibrated GPU is the median; a faster one counts as the median, so
/// that a step never undercuts its calibration.
class GpuSpread final : public IRankCondition {
 public:
  GpuSpread(const GpuSpreadSettings& settings, const RandomStream& stream) : settings_(settings), stream_(stream) {}

  [[nodiscard]] Phase phase(ReplicaId replica, Seconds time) const override;
  [[nodiscard]] RankLoad load(ReplicaId replica, std::int64_t rank, Seconds time) const override;
  [[nodiscard]] std::int64_t rank() const override { return Target::all; }
  [[nodiscard]] std::string describe() const override;

 private:
  GpuSpreadSettings settings_;
  RandomStream stream_;
};

}  // namespace brink::conditions
