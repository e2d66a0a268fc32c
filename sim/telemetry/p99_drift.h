// How far the tail of the latencies is from that of the same requests alone on an idle system.
#pragma once

#include "models/base/json.h"
#include "models/base/samples.h"
#include "sim/serving/records.h"

namespace brink::telemetry {

/// Counts completed requests whose idle latencies are known (RequestRecord::idle_ttft, idle_e2e). Load and idle
/// values are of the same requests, so their ratio compares systems and not workloads.
class P99Drift {
 public:
  /// Requests that arrive before `warmup` are left out.
  explicit P99Drift(Seconds warmup) : warmup_(warmup) {}

  void add(const serving::RequestRecord& record);

  [[nodiscard]] bool any() const { return ttft_.load.count() > 0; }
  /// Section "p99_drift" of the summary.
  [[nodiscard]] Json json() const;

 private:
  struct Pair {
    Samples load, idle;
  };
  [[nodiscard]] static Json pair_json(const Pair& pair);

  Seconds warmup_;
  Pair ttft_, tpot_, e2e_;
};

}  // namespace brink::telemetry
