#include "sim/telemetry/requests_csv.h"

#include <algorithm>

#include "sim/telemetry/latency.h"
#include "sim/telemetry/text.h"

namespace brink::telemetry {

namespace {

/// Nine significant digits: probabilities span many magnitudes, and zero is "0".
void append_probability(std::string& out, double value) { fmt::format_to(std::back_inserter(out), "{:.9g}", value); }

void append_execution(std::string& out, const serving::RequestRecord& record, const Followed& followed) {
  const auto comma = [&out] { out += ','; };
  const bool ran = !std::isnan(record.scheduled.value());
  comma(), append(out, record.tenant);
  comma(), append(out, std::max(record.raw_input_tokens, record.input_tokens));
  comma(), append(out, record.cached_tokens);
  comma(), append_seconds(out, record.gpu);
  comma();
  if (followed.regimes && ran) out += memory::name(record.regime);
  comma();
  if (followed.plans) append(out, record.plan_switches);
  const bool drift = followed.drift && record.outcome == serving::Outcome::completed;
  comma();
  if (drift) append_probability(out, record.drift.from_idle);
  comma();
  if (drift) append_probability(out, record.drift.pairwise);
  comma();
  if (drift && record.drift.first_flip >= 0.0) append_probability(out, record.drift.first_flip);
  comma();
  if (followed.causes) append_seconds(out, record.caused_delay);
  comma();
  if (followed.causes) append(out, record.cause);
}

}  // namespace

void append_request_row(std::string& out, const serving::RequestRecord& record, const Followed& followed) {
  const auto comma = [&out] { out += ','; };
  append(out, static_cast<std::int64_t>(record.id.value)), comma();
  for (const Seconds instant :
       {record.arrival, record.sent, record.queued, record.scheduled, record.first_token, record.finish}) {
    append_seconds(out, instant), comma();
  }
  append(out, record.input_tokens), comma();
  append(out, record.output_tokens), comma();
  // A request that never reached a replica has none.
  if (!std::isnan(record.queued.value())) append(out, static_cast<std::int64_t>(record.replica.value));
  comma();
  append(out, record.preemptions), comma();
  out += serving::name(record.outcome), comma();
  const Latencies latencies = latencies_of(record);
  append_seconds(out, latencies.ttft), comma();
  append_seconds(out, latencies.tpot), comma();
  append_seconds(out, latencies.e2e);
  append_execution(out, record, followed);
  out += '\n';
}

}  // namespace brink::telemetry
