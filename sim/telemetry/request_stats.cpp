#include "sim/telemetry/request_stats.h"

#include <algorithm>

#include "sim/telemetry/latency.h"

namespace brink::telemetry {

void RequestStats::add(const serving::RequestRecord& record) {
  ++counts_.seen;
  if (record.arrival < warmup_) return;
  ++counts_.measured;
  counts_.preemptions += record.preemptions;
  if (record.outcome == serving::Outcome::rejected) {
    ++counts_.rejected;
  } else if (record.outcome == serving::Outcome::cancelled) {
    ++counts_.cancelled;
  } else if (record.outcome == serving::Outcome::failed) {
    ++counts_.lost;
  } else {
    ++counts_.completed;
    counts_.input_tokens += record.input_tokens;
    counts_.output_tokens += record.output_tokens;
    const Latencies latencies = latencies_of(record);
    ttft_.add(latencies.ttft.value());
    if (record.output_tokens > 1) tpot_.add(latencies.tpot.value());
    e2e_.add(latencies.e2e.value());
    if (within(latencies, slo_)) ++counts_.good;
  }
}

std::int64_t RequestStats::tokens_per_second_max() const {
  return tokens_.empty() ? 0 : *std::max_element(tokens_.begin(), tokens_.end());
}

}  // namespace brink::telemetry
