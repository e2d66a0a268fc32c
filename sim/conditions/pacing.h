// Host pacing: how late a rank enters a collective because its host launched the kernels before it late.
//
// Lateness of one rank at one collective is lognormal up to a cap. All ranks wait for the latest of them, so a step
// grows by the sum over its collectives of the maximum over the ranks. Both are sampled in O(1): the maximum by
// inverting F^R, the sum of many from its first three cumulants (docs/model/conditions.md gives the errors).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "models/base/shifted_lognormal.h"
#include "models/base/units.h"

namespace brink::conditions {

/// Lateness of one rank at one collective: min(median * exp(sigma Z), cap).
struct Lateness {
  Seconds median;
  double sigma = 1.0;
  Seconds cap;

  /// The value below which all but `upper_tail` of the ranks arrive.
  [[nodiscard]] Seconds quantile(double upper_tail) const;
  [[nodiscard]] Seconds mean() const;
};

/// Engines that launch every kernel from the host. Two such ranks enter a collective 157 us apart (median) and 1 ms
/// (90 %), 14 ms at most: vllm issue 52777 (TP2 decode, 159 all-reduces a step, 72 to 77 ms of skew a step), which
/// gives a median of 115 us and sigma 1.42 for one rank.
[[nodiscard]] Lateness eager_lateness();

/// Engines that replay CUDA graphs: eight ranks lie 31.6 us apart on average (1Cat-vLLM pull request 173, TP8 on V100,
/// 87 all-reduces in one graph; no figure for H100 is published). The source gives no shape: p90 is taken as twice
/// the median.
[[nodiscard]] Lateness graph_lateness();

/// Cumulants, in seconds, of what the latest of the ranks is late when rank r starts `ahead[r]` >= 0 before the
/// slowest of them: max over r of (lateness_r - ahead[r]). Some ahead[r] is zero.
[[nodiscard]] Cumulants latest_of(const Lateness& lateness, std::span<const double> ahead);
/// The same for `ranks` of them that are equally fast.
[[nodiscard]] Cumulants latest_of(const Lateness& lateness, std::int64_t ranks);

/// latest_of() for ranks whose lead grows with the compute time between two collectives: tabulated over that time on
/// first use and interpolated, so that a step pays a look-up.
class PacedRanks {
 public:
  /// `lead[r]`: share of the compute time by which rank r is faster than the slowest rank.
  PacedRanks(const Lateness& lateness, std::vector<double> lead);

  /// Of one collective that follows `compute` of kernels. Not const: fills the table.
  [[nodiscard]] Cumulants one(Seconds compute);
  [[nodiscard]] const std::vector<double>& lead() const { return lead_; }
  /// Nobody leads: the ranks are exchangeable.
  [[nodiscard]] bool equal() const { return equal_; }

 private:
  [[nodiscard]] const Cumulants& knot(std::size_t i);

  Lateness lateness_;
  std::vector<double> lead_;
  bool equal_;                     // nobody leads: one entry is enough
  std::vector<Cumulants> knots_;   // variance < 0: not needed yet
};

}  // namespace brink::conditions
