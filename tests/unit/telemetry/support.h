// A run made by hand.
#pragma once

#include <cmath>
#include <limits>
#include <string>

#include "sim/telemetry/collector.h"

namespace brink::telemetry::testing {

inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

inline RunFacts facts() {
  RunFacts f;
  f.slo = {nan, nan, nan};
  f.kv_blocks = 100;
  f.scenario = Json::object();
  f.provenance = Json::object();
  return f;
}

inline serving::RequestRecord request(std::uint64_t id, double sent_s, double ttft_s, double decode_s,
                                      std::int64_t output_tokens) {
  serving::RequestRecord r;
  r.id = RequestId{id};
  r.arrival = r.sent = r.queued = Seconds(sent_s);
  r.scheduled = Seconds(sent_s + ttft_s / 2);
  r.first_token = Seconds(sent_s + ttft_s);
  r.finish = Seconds(sent_s + ttft_s + decode_s);
  r.input_tokens = 100;
  r.output_tokens = output_tokens;
  return r;
}

inline serving::RequestRecord unfinished(std::uint64_t id, double arrival_s, serving::Outcome outcome) {
  serving::RequestRecord r;
  const Seconds none(nan);
  r.id = RequestId{id};
  r.arrival = r.sent = Seconds(arrival_s);
  r.queued = r.scheduled = r.first_token = r.finish = none;
  r.input_tokens = 100;
  r.outcome = outcome;
  return r;
}

inline serving::StepRecord step(std::uint64_t replica, double start_s, double end_s, std::int64_t decode,
                                std::int64_t prefill = 0) {
  serving::StepRecord r;
  r.replica = ReplicaId{replica};
  r.start = Seconds(start_s);
  r.end = Seconds(end_s);
  r.decode_sequences = decode;
  r.prefill_tokens = prefill;
  r.tokens_out = decode;
  r.running = decode;
  return r;
}

inline double number(const Json& summary, const std::string& pointer) {
  const Json* value = at_pointer(summary, pointer);
  return value && value->is_number() ? value->as_double() : nan;
}

inline std::string text(const Json& summary, const std::string& pointer) {
  const Json* value = at_pointer(summary, pointer);
  return value ? value->dump() : "absent";
}

inline std::string file(Collector& collector, const std::string& name) {
  for (const ResultFile& f : collector.files()) {
    if (f.name == name) return f.content;
  }
  return "absent";
}

}  // namespace brink::telemetry::testing
