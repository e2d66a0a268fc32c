// timeseries.csv: what each replica did in each second.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/serving/records.h"
#include "sim/telemetry/run_facts.h"

namespace brink::telemetry {

/// A step counts in the second in which it ends; its busy time is split over the seconds it
/// spans. running, waiting, kv_usage, kv_pinned, queue_p95_ms and seats are gauges: their value at
/// the end of the second, held while nothing changes them. The regime is the worst of the second.
class TimeSeries {
 public:
  /// Columns of what is not followed are empty.
  TimeSeries(std::size_t replicas, std::int64_t kv_blocks, const Followed& followed)
      : kv_blocks_(kv_blocks), followed_(followed), replicas_(replicas) {}

  void add(const serving::StepRecord& record);
  void set_waiting(ReplicaId replica, Seconds at, std::int64_t waiting);

  /// One row a second and replica over [0, end], header first.
  [[nodiscard]] std::string csv(Seconds end);

 private:
  struct Row {
    double busy_s = 0.0, step_s = 0.0;
    std::int64_t running = 0, waiting = 0, kv_blocks_used = 0;
    std::int64_t decode_sequences = 0, prefill_tokens = 0, output_tokens = 0, preemptions = 0, steps = 0;
    // Of how the steps ran.
    memory::Regime regime = memory::Regime::normal;  // the worst
    memory::Regime last_regime = memory::Regime::normal;
    std::int64_t kv_pinned = 0, seats = 0, plan_switches = 0;
    double queue_p95_s = 0.0, wait_s = 0.0;
  };
  struct Replica {
    std::vector<Row> rows;
    Seconds last_end{0.0};
  };

  Replica& replica(ReplicaId id);
  static Row& row_at(Replica& replica, Seconds at);
  static void spread_busy(Replica& replica, Seconds from, Seconds to);
  static void merge_tail(std::vector<Row>& rows, std::size_t count);
  static void add_execution(Row& row, const serving::StepRecord& record);
  void append_row(std::string& out, std::size_t second, std::size_t replica, const Row& row, double length_s) const;
  void append_execution(std::string& out, const Row& row) const;

  std::int64_t kv_blocks_;
  Followed followed_;
  std::vector<Replica> replicas_;
};

}  // namespace brink::telemetry
