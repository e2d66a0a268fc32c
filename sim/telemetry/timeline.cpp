#include "sim/telemetry/timeline.h"

#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "sim/telemetry/text.h"

namespace brink::telemetry {

namespace {

/// The instant in whole nanoseconds. A duration between two of these ends where the next step begins: viewers
/// drop a slice that reaches even a nanosecond into the next one.
double printed_us(Seconds at) { return std::round(to_us(at) * 1e3) / 1e3; }

}  // namespace

// Event phases of the Chrome trace event format: X complete, C counter, b/e nestable
// asynchronous, M metadata, i instant.

void Timeline::begin_event() {
  if (!events_.empty()) events_ += ",\n";
}

Timeline::Replica& Timeline::known_replica(std::uint64_t id) {
  if (id >= replicas_.size()) replicas_.resize(id + 1);
  Replica& replica = replicas_[id];
  if (replica.named) return replica;
  replica.named = true;
  begin_event();
  fmt::format_to(std::back_inserter(events_),
                 R"({{"name":"process_name","ph":"M","pid":{},"args":{{"name":"replica {}"}}}})", id, id);
  name_thread(id, 0, "scheduler");
  return replica;
}

void Timeline::name_thread(std::uint64_t replica, std::int64_t thread, const std::string& name) {
  if (!replicas_[replica].threads.insert(thread).second) return;
  begin_event();
  fmt::format_to(std::back_inserter(events_),
                 R"({{"name":"thread_name","ph":"M","pid":{},"tid":{},"args":{{"name":"{}"}}}})", replica, thread, name);
}

void Timeline::counter(std::uint64_t replica, Seconds at, const char* name, double value) {
  begin_event();
  fmt::format_to(std::back_inserter(events_), R"({{"name":"{}","ph":"C","ts":{:.3f},"pid":{},"args":{{"value":{}}}}})",
                 name, to_us(at), replica, value);
}

void Timeline::add(const serving::StepRecord& r) {
  const std::uint64_t replica = r.replica.value;
  Replica& known = known_replica(replica);
  begin_event();
  const char* kind = r.prefill_tokens == 0 ? "decode" : r.decode_sequences == 0 ? "prefill" : "mixed";
  auto to = std::back_inserter(events_);
  fmt::format_to(to, R"({{"name":"{}","cat":"step","ph":"X","ts":{:.3f},"dur":{:.3f},"pid":{},"tid":0,)", kind,
                 printed_us(r.start), printed_us(r.end) - printed_us(r.start), replica);
  fmt::format_to(to, R"("args":{{"step":{},"decode_sequences":{},"prefill_tokens":{},"padded_tokens":{},)", r.step,
                 r.decode_sequences, r.prefill_tokens, r.padded_tokens);
  fmt::format_to(to, R"("context_tokens":{},"compute_ms":{:.6f},"comm_ms":{:.6f},"sync_ms":{:.6f},"host_ms":{:.6f},)",
                 r.context_tokens, to_ms(r.compute), to_ms(r.comm), to_ms(r.sync), to_ms(r.host));
  fmt::format_to(to, R"("preemptions":{},"badge":"{}"}}}})", r.preemptions, cost::name(r.badge));
  counter(replica, r.end, "running", static_cast<double>(r.running));
  counter(replica, r.end, "waiting", static_cast<double>(r.waiting));
  if (kv_blocks_ > 0) {
    counter(replica, r.end, "kv_usage", static_cast<double>(r.kv_blocks_used) / static_cast<double>(kv_blocks_));
  }
  add_state(r, known);
  if (r.slowest_rank >= 0 && r.sync.value() > 0.0) add_wait(r);
}

// What seldom changes is drawn where it does.
void Timeline::add_state(const serving::StepRecord& r, Replica& known) {
  const std::uint64_t replica = r.replica.value;
  if (r.seats != known.seats && (r.seats > 0 || known.seats > 0)) {
    counter(replica, r.end, "seats", static_cast<double>(r.seats));
  }
  if (r.kv_pinned != known.kv_pinned) counter(replica, r.end, "kv_pinned", static_cast<double>(r.kv_pinned));
  if (r.regime.label != known.regime.label) {
    begin_event();
    fmt::format_to(std::back_inserter(events_),
                   R"({{"name":"regime {}","cat":"regime","ph":"i","s":"p","ts":{:.3f},"pid":{},"tid":0,)"
                   R"("args":{{"from":"{}","bits":{}}}}})",
                   memory::name(r.regime.label), to_us(r.end), replica, memory::name(known.regime.label),
                   static_cast<int>(r.regime.bits));
  }
  known.seats = r.seats;
  known.kv_pinned = r.kv_pinned;
  known.regime = r.regime;
}

// The waits of a step are spread over its collectives; drawn in one piece where the step ends.
void Timeline::add_wait(const serving::StepRecord& r) {
  const std::int64_t thread = first_rank_thread + r.slowest_rank;
  name_thread(r.replica.value, thread, fmt::format("rank {}", r.slowest_rank));
  begin_event();
  auto to = std::back_inserter(events_);
  fmt::format_to(to, R"({{"name":"waited for","cat":"wait","ph":"X","ts":{:.3f},"dur":{:.3f},"pid":{},"tid":{},)",
                 printed_us(r.end - r.sync), printed_us(r.end) - printed_us(r.end - r.sync), r.replica.value, thread);
  fmt::format_to(to, R"("args":{{"step":{},"cause":{}}}}})", r.step, r.cause);
}

void Timeline::span(const serving::RequestRecord& record, const char* name, Seconds from, Seconds to) {
  if (std::isnan(from.value()) || std::isnan(to.value())) return;
  for (const char phase : {'b', 'e'}) {
    begin_event();
    fmt::format_to(std::back_inserter(events_),
                   R"({{"name":"{}","cat":"request","ph":"{}","id":{},"ts":{:.3f},"pid":{},"tid":0}})", name, phase,
                   record.id.value, to_us(phase == 'b' ? from : to), record.replica.value);
  }
}

void Timeline::add(const serving::RequestRecord& record) {
  span(record, "queued", record.queued, record.scheduled);
  span(record, "prefill", record.scheduled, record.first_token);
  span(record, "decode", record.first_token, record.finish);
}

void Timeline::set_waiting(ReplicaId replica, Seconds at, std::int64_t waiting) {
  known_replica(replica.value);
  counter(replica.value, at, "waiting", static_cast<double>(waiting));
}

std::string Timeline::json() const { return "{\"traceEvents\":[\n" + events_ + "\n],\"displayTimeUnit\":\"ms\"}\n"; }

}  // namespace brink::telemetry
