#include "sim/telemetry/step_stats.h"

#include <algorithm>
#include <limits>

namespace brink::telemetry {

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Length of [from, to] after `warmup`.
double seconds_after(Seconds warmup, Seconds from, Seconds to) {
  return std::max(0.0, (to - std::max(from, warmup)).value());
}

}  // namespace

StepStats::StepStats(Seconds warmup, std::size_t replicas, std::int64_t kv_blocks)
    : warmup_(warmup), kv_blocks_(kv_blocks), replicas_(replicas) {}

void StepStats::add(const serving::StepRecord& record) {
  const auto index = static_cast<std::size_t>(record.replica.value);
  if (index >= replicas_.size()) replicas_.resize(index + 1);
  Replica& replica = replicas_[index];
  // Steps of one replica may overlap (scheduling runs ahead of execution): count their union.
  replica.busy += Seconds(seconds_after(warmup_, std::max(record.start, replica.last_end), record.end));
  // The blocks of the step before were in use until this one ended.
  replica.kv_seconds += static_cast<double>(replica.kv_used) * seconds_after(warmup_, replica.last_end, record.end);
  replica.kv_used = record.kv_blocks_used;
  replica.last_end = record.end;
  if (record.end >= warmup_) kv_used_max_ = std::max(kv_used_max_, record.kv_blocks_used);
  if (record.start < warmup_) return;

  const Seconds duration = record.end - record.start;
  duration_.add(duration.value());
  badge_ = cost::worse(badge_, record.badge);
  badge_time_[static_cast<std::size_t>(record.badge)] += duration;
  if (record.decode_sequences > 0) {
    ++decode_steps_;
    decode_sequences_ += record.decode_sequences;
    decode_badge_ = cost::worse(decode_badge_, record.badge);
  }
}

double StepStats::mean_decode_batch() const {
  if (decode_steps_ == 0) return not_a_number;
  return static_cast<double>(decode_sequences_) / static_cast<double>(decode_steps_);
}

double StepStats::busy_fraction(std::size_t replica, Seconds end) const {
  const double window = (end - warmup_).value();
  return window > 0.0 ? replicas_[replica].busy.value() / window : not_a_number;
}

double StepStats::kv_usage_mean(Seconds end) const {
  const double window = (end - warmup_).value();
  if (window <= 0.0 || kv_blocks_ <= 0 || replicas_.empty()) return not_a_number;
  double block_seconds = 0.0;
  for (const Replica& replica : replicas_) {
    block_seconds +=
        replica.kv_seconds + static_cast<double>(replica.kv_used) * seconds_after(warmup_, replica.last_end, end);
  }
  return block_seconds / (window * static_cast<double>(kv_blocks_) * static_cast<double>(replicas_.size()));
}

double StepStats::kv_usage_max() const {
  return kv_blocks_ > 0 ? static_cast<double>(kv_used_max_) / static_cast<double>(kv_blocks_) : not_a_number;
}

}  // namespace brink::telemetry
