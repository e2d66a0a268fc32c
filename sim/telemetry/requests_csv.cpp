#include "sim/telemetry/requests_csv.h"

#include "sim/telemetry/latency.h"
#include "sim/telemetry/text.h"

namespace brink::telemetry {

void append_request_row(std::string& out, const serving::RequestRecord& record) {
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
  out += '\n';
}

}  // namespace brink::telemetry
