// Statistics over finished requests, token intervals and the number in flight.
#pragma once

#include <cstdint>
#include <vector>

#include "models/base/histogram.h"
#include "models/base/samples.h"
#include "sim/serving/records.h"
#include "sim/telemetry/run_facts.h"

namespace brink::telemetry {

class RequestStats {
 public:
  RequestStats(Seconds warmup, const SloLimits& slo) : warmup_(warmup), slo_(slo) {}

  void add(const serving::RequestRecord& record);

  /// Pooled over tokens: each interval counts once a token, at O(1) cost.
  void add_intervals(const serving::TokenIntervals& intervals) {
    if (intervals.at < warmup_ || intervals.count <= 0) return;
    count_tokens(intervals.at, intervals.count);
    itl_.add(intervals.interval.value(), static_cast<std::uint64_t>(intervals.count));
  }
  void add_first_tokens(Seconds at, std::int64_t count) {
    if (at >= warmup_ && count > 0) count_tokens(at, count);
  }
  void set_in_flight(Seconds at, std::int64_t in_flight) {
    // What is still in flight when the warm-up ends counts, too.
    if (at < warmup_ || in_flight > in_flight_max_) in_flight_max_ = in_flight;
  }

  struct Counts {
    std::int64_t seen = 0;      // every request, warm-up included
    std::int64_t measured = 0;  // arrived after the warm-up; the rest of the counts are of these
    std::int64_t completed = 0, rejected = 0, cancelled = 0, lost = 0;
    std::int64_t good = 0;                             // completed within every limit of the SLO
    std::int64_t input_tokens = 0, output_tokens = 0;  // of completed requests
    std::int64_t preemptions = 0;
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] const Samples& ttft() const { return ttft_; }
  [[nodiscard]] const Samples& tpot() const { return tpot_; }
  [[nodiscard]] const Samples& e2e() const { return e2e_; }
  [[nodiscard]] const LogHistogram& itl() const { return itl_; }
  [[nodiscard]] std::int64_t in_flight_max() const { return in_flight_max_; }
  /// Most output tokens in one second, the seconds counted from the end of the warm-up.
  [[nodiscard]] std::int64_t tokens_per_second_max() const;

 private:
  void count_tokens(Seconds at, std::int64_t count) {
    const auto second = static_cast<std::size_t>((at - warmup_).value());
    if (second >= tokens_.size()) tokens_.resize(second + 1, 0);
    tokens_[second] += count;
  }

  Seconds warmup_;
  SloLimits slo_;
  Counts counts_;
  Samples ttft_, tpot_, e2e_;
  LogHistogram itl_;
  std::vector<std::int64_t> tokens_;  // output tokens of each second
  std::int64_t in_flight_max_ = 0;
};

}  // namespace brink::telemetry
