// How far a run is, told now and then to whoever watches. Looks at the wall clock; nothing it
// sees or does reaches the simulation.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "models/base/units.h"
#include "sim/serving/i_recorder.h"

namespace brink::scenario {

struct Progress {
  Seconds sim_time;
  std::int64_t finished = 0;            // requests
  std::optional<std::int64_t> total;    // when the workload knows
  Seconds wall;                         // since the run began
};

struct ProgressSink {
  std::function<void(const Progress&)> report;  // may throw: the run ends with that exception
  Seconds interval = Seconds(0.2);              // of wall time, at least
};

/// Hands every record on to `next` and reports progress beside it.
class ProgressRecorder final : public serving::IRecorder {
 public:
  /// `sink` may be null: then nothing is reported.
  ProgressRecorder(serving::IRecorder& next, const ProgressSink* sink, std::optional<std::int64_t> total)
      : next_(next), sink_(sink), total_(total) {}

  void on_request(const serving::RequestRecord& record) override;
  void on_step(const serving::StepRecord& record) override;
  void on_intervals(const serving::TokenIntervals& intervals) override { next_.on_intervals(intervals); }
  void on_in_flight(Seconds at, std::int64_t in_flight) override { next_.on_in_flight(at, in_flight); }
  void on_first_tokens(Seconds at, std::int64_t count) override { next_.on_first_tokens(at, count); }
  void on_queue(ReplicaId replica, Seconds at, std::int64_t waiting) override { next_.on_queue(replica, at, waiting); }

  [[nodiscard]] std::uint64_t steps() const { return steps_; }

 private:
  using Clock = std::chrono::steady_clock;
  /// A look at the clock costs about a tenth of a step: once in so many steps is free.
  static constexpr std::uint64_t steps_per_look = 2048;

  void look(Seconds now);

  serving::IRecorder& next_;
  const ProgressSink* sink_;
  std::optional<std::int64_t> total_;
  std::uint64_t steps_ = 0;
  std::int64_t finished_ = 0;
  Clock::time_point begin_ = Clock::now(), reported_ = begin_;
};

}  // namespace brink::scenario
