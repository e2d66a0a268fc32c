#include "sim/telemetry/time_series.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/telemetry/text.h"

namespace brink::telemetry {

TimeSeries::Replica& TimeSeries::replica(ReplicaId id) {
  const auto index = static_cast<std::size_t>(id.value);
  if (index >= replicas_.size()) replicas_.resize(index + 1);
  return replicas_[index];
}

TimeSeries::Row& TimeSeries::row_at(Replica& replica, Seconds at) {
  const auto second = static_cast<std::size_t>(at.value());
  while (replica.rows.size() <= second) {
    Row next;
    if (!replica.rows.empty()) {
      const Row& last = replica.rows.back();
      next.running = last.running;
      next.waiting = last.waiting;
      next.kv_blocks_used = last.kv_blocks_used;
      next.regime = next.last_regime = last.last_regime;
      next.kv_pinned = last.kv_pinned;
      next.seats = last.seats;
      next.queue_p95_s = last.queue_p95_s;
    }
    replica.rows.push_back(next);
  }
  return replica.rows[second];
}

void TimeSeries::spread_busy(Replica& replica, Seconds from, Seconds to) {
  while (from < to) {
    Row& row = row_at(replica, from);
    const Seconds next_second(std::floor(from.value()) + 1.0);
    const Seconds until = std::min(to, next_second);
    row.busy_s += (until - from).value();
    from = until;
  }
}

void TimeSeries::add(const serving::StepRecord& record) {
  Replica& state = replica(record.replica);
  spread_busy(state, std::max(record.start, state.last_end), record.end);
  state.last_end = record.end;
  Row& row = row_at(state, record.end);
  row.running = record.running;
  row.waiting = record.waiting;
  row.kv_blocks_used = record.kv_blocks_used;
  row.decode_sequences += record.decode_sequences;
  row.prefill_tokens += record.prefill_tokens;
  row.output_tokens += record.tokens_out;
  row.preemptions += record.preemptions;
  row.step_s += (record.end - record.start).value();
  ++row.steps;
  add_execution(row, record);
}

void TimeSeries::add_execution(Row& row, const serving::StepRecord& record) {
  row.regime = std::min(row.regime, record.regime.label);
  row.last_regime = record.regime.label;
  row.kv_pinned = record.kv_pinned;
  row.seats = record.seats;
  row.queue_p95_s = record.queue_p95.value();
  row.plan_switches += record.plan_switch ? 1 : 0;
  for (const Seconds wait : record.wait) row.wait_s += wait.value();
}

void TimeSeries::set_waiting(ReplicaId id, Seconds at, std::int64_t waiting) {
  row_at(replica(id), at).waiting = waiting;
}

// A step that ends exactly with the run falls into a second that has no length.
void TimeSeries::merge_tail(std::vector<Row>& rows, std::size_t count) {
  while (rows.size() > count) {
    const Row tail = rows.back();
    rows.pop_back();
    Row& last = rows.back();
    last.busy_s += tail.busy_s;
    last.step_s += tail.step_s;
    last.running = tail.running;
    last.waiting = tail.waiting;
    last.kv_blocks_used = tail.kv_blocks_used;
    last.decode_sequences += tail.decode_sequences;
    last.prefill_tokens += tail.prefill_tokens;
    last.output_tokens += tail.output_tokens;
    last.preemptions += tail.preemptions;
    last.steps += tail.steps;
    last.regime = std::min(last.regime, tail.regime);
    last.last_regime = tail.last_regime;
    last.kv_pinned = tail.kv_pinned;
    last.seats = tail.seats;
    last.queue_p95_s = tail.queue_p95_s;
    last.plan_switches += tail.plan_switches;
    last.wait_s += tail.wait_s;
  }
}

void TimeSeries::append_row(std::string& out, std::size_t second, std::size_t replica, const Row& row,
                            double length_s) const {
  constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
  const auto steps = static_cast<double>(row.steps);
  const auto comma = [&out] { out += ','; };
  append(out, static_cast<std::int64_t>(second)), comma();
  append(out, static_cast<std::int64_t>(replica)), comma();
  append(out, row.running), comma();
  append(out, row.waiting), comma();
  append_decimal(
      out, kv_blocks_ > 0 ? static_cast<double>(row.kv_blocks_used) / static_cast<double>(kv_blocks_) : not_a_number),
      comma();
  append_decimal(out, row.steps > 0 ? static_cast<double>(row.decode_sequences) / steps : not_a_number), comma();
  append_decimal(out, row.steps > 0 ? row.step_s * 1e3 / steps : not_a_number), comma();
  append(out, row.prefill_tokens), comma();
  append(out, row.output_tokens), comma();
  append(out, row.preemptions), comma();
  append(out, row.steps), comma();
  append_decimal(out, length_s > 0.0 ? row.busy_s / length_s : not_a_number);
  append_execution(out, row);
  out += '\n';
}

void TimeSeries::append_execution(std::string& out, const Row& row) const {
  const auto comma = [&out] { out += ','; };
  comma();
  if (followed_.regimes) out += memory::name(row.regime);
  comma(), append(out, row.kv_pinned);
  comma();
  if (followed_.regimes) append_decimal(out, row.queue_p95_s * 1e3);
  comma(), append(out, row.seats);
  comma();
  if (followed_.plans) append(out, row.plan_switches);
  comma(), append_seconds(out, Seconds(row.wait_s));
}

std::string TimeSeries::csv(Seconds end) {
  const auto seconds = std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(end.value())));
  for (Replica& state : replicas_) {
    row_at(state, Seconds(static_cast<double>(seconds - 1)));
    merge_tail(state.rows, seconds);
  }
  std::string out =
      "t_s,replica,running,waiting,kv_usage,decode_batch,step_ms,prefill_tokens,output_tokens,preemptions,steps,"
      "busy_fraction,regime,kv_pinned,queue_p95_ms,seats,plan_switches,wait_s\n";
  for (std::size_t second = 0; second < seconds; ++second) {
    const double length_s = std::min(1.0, end.value() - static_cast<double>(second));
    for (std::size_t i = 0; i < replicas_.size(); ++i) append_row(out, second, i, replicas_[i].rows[second], length_s);
  }
  return out;
}

}  // namespace brink::telemetry
