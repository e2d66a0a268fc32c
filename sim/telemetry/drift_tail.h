// Whether slow requests also drift more: the slowest 1 % against the median ones, answers of equal length compared.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "models/base/json.h"
#include "models/base/units.h"
#include "sim/serving/i_drift_tracker.h"

namespace brink::telemetry {

/// Requests are cut into strata of output length (a quarter of an octave each) and sorted by end-to-end latency in
/// bins 4 % wide. Memory is O(strata), whatever the number of requests.
class DriftTail {
 public:
  void add(Seconds e2e, const serving::DriftOutcome& drift, std::int64_t output_tokens);

  /// Means over the slowest 1 % and over the middle 10 % of each stratum, weighed with the strata's requests; and the
  /// same for the strata of each octave.
  [[nodiscard]] Json json() const;

 private:
  static constexpr int strata_per_octave = 4, octaves = 24;
  static constexpr int bins_per_octave = 16, bin_octaves = 34, first_bin_octave = -14;  // 61 us to 12 days

  struct Bin {
    double requests = 0.0, from_idle = 0.0, pairwise = 0.0;
  };
  using Bins = std::vector<Bin>;  // empty until the first request
  struct Contrast {
    double requests = 0.0;
    Bin slowest, median;
  };

  /// Share of the requests between two quantiles, the bins at their edges in part.
  static Bin between(const Bins& bins, double total, double low, double high);
  static void add_stratum(Contrast& contrast, const Bins& bins);
  static void write(Json& object, const Contrast& contrast);

  std::array<Bins, strata_per_octave * octaves> strata_;
};

}  // namespace brink::telemetry
