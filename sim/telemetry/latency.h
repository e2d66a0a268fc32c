// Latencies of one completed request, as vLLM bench defines them.
#pragma once

#include <cmath>
#include <limits>

#include "sim/serving/records.h"
#include "sim/telemetry/run_facts.h"

namespace brink::telemetry {

/// NaN where a latency does not exist. Client latencies count from the sending, not from the
/// arrival that a client cap may have held back (vllm/benchmarks/serve.py).
struct Latencies {
  Seconds ttft, tpot, e2e;
};

[[nodiscard]] inline Latencies latencies_of(const serving::RequestRecord& r) {
  const Seconds none(std::numeric_limits<double>::quiet_NaN());
  Latencies out{r.first_token - r.sent, none, r.finish - r.sent};
  if (r.outcome != serving::Outcome::completed)
    out.e2e = none;
  else if (r.output_tokens > 1)
    out.tpot = (r.finish - r.first_token) / static_cast<double>(r.output_tokens - 1);
  return out;
}

/// Whether every limit is kept. An absent limit (NaN) and a latency that does not exist both are.
[[nodiscard]] inline bool within(const Latencies& latencies, const SloLimits& slo) {
  const auto kept = [](Seconds latency, double limit_ms) {
    return std::isnan(limit_ms) || std::isnan(latency.value()) || to_ms(latency) <= limit_ms;
  };
  return kept(latencies.ttft, slo.ttft_p99_ms) && kept(latencies.tpot, slo.tpot_p99_ms) &&
         kept(latencies.e2e, slo.e2el_p99_ms);
}

}  // namespace brink::telemetry
