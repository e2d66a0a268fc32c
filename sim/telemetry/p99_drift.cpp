#include "sim/telemetry/p99_drift.h"

#include <string>
#include <utility>

#include "sim/telemetry/latency.h"

namespace brink::telemetry {

void P99Drift::add(const serving::RequestRecord& record) {
  if (record.arrival < warmup_ || record.outcome != serving::Outcome::completed) return;
  if (!is_finite(record.idle_ttft) || !is_finite(record.idle_e2e)) return;
  const auto put = [](Pair& pair, Seconds load, Seconds idle) {
    pair.load.add(load.value());
    pair.idle.add(idle.value());
  };
  const Latencies load = latencies_of(record);
  put(ttft_, load.ttft, record.idle_ttft);
  put(e2e_, load.e2e, record.idle_e2e);
  if (record.output_tokens > 1) {
    put(tpot_, load.tpot, (record.idle_e2e - record.idle_ttft) / static_cast<double>(record.output_tokens - 1));
  }
}

Json P99Drift::pair_json(const Pair& pair) {
  Json out = Json::object();
  const bool any = pair.load.count() > 0;
  const auto ratio = [any](double load, double idle) { return any && idle > 0.0 ? Json(load / idle) : Json(); };
  for (const auto& [name, q] : {std::pair("p50", 0.5), std::pair("p99", 0.99)}) {
    const double load = pair.load.quantile(q), idle = pair.idle.quantile(q);
    out.set(std::string(name) + "_load_ms", any ? Json(load * 1e3) : Json());
    out.set(std::string(name) + "_idle_ms", any ? Json(idle * 1e3) : Json());
    out.set(std::string(name) + "_ratio", ratio(load, idle));
  }
  return out;
}

Json P99Drift::json() const {
  Json out = Json::object();
  out.set("requests", static_cast<std::int64_t>(ttft_.load.count()));
  out.set("ttft", pair_json(ttft_));
  out.set("tpot", pair_json(tpot_));
  out.set("e2el", pair_json(e2e_));
  return out;
}

}  // namespace brink::telemetry
