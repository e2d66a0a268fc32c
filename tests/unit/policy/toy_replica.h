// A replica small enough to reason about, in a loop with a controller: a step takes
// base + slope * batch + stall, requests arrive as a Poisson process whose rate may change, answers
// have geometric lengths, and whoever waits is admitted in order while seats last.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <queue>
#include <vector>

#include "models/base/random.h"
#include "sim/policy/i_controller.h"

namespace brink::policy::testing {

struct ToySettings {
  double base_ms = 21.0, slope_ms = 0.05;
  double mean_output = 200.0;  // tokens, so steps
  std::int64_t seats = 1024;
  std::int64_t kv_blocks = 100'000;
  double until_s = 100.0;
  std::uint64_t seed = 1;
  std::function<double(double)> rate_per_s;                            // of the instant
  double rate_max = 0.0;                                               // at least every rate
  std::function<double(double)> stall_ms = [](double) { return 0.0; };  // of the instant a step starts
};

struct ToyStep {
  double at_s = 0.0, time_ms = 0.0, stall_ms = 0.0;  // `at_s`: its end
  std::int64_t batch = 0, seats = 0, waiting = 0;
};
struct ToyWait {
  double at_s = 0.0, wait_ms = 0.0;  // `at_s`: the arrival
};
struct ToyRun {
  std::vector<ToyStep> steps;
  std::vector<ToyWait> waits;
};

class ToyReplica {
 public:
  explicit ToyReplica(const ToySettings& settings)
      : s_(settings), gaps_(settings.seed, "toy/gap"), thin_(settings.seed, "toy/thin"), lengths_(settings.seed, "toy/length") {}

  ToyRun run(IController* controller) {
    ControlLimits limits{s_.seats, 8192};
    next_arrival();
    std::uint64_t step = 0;
    for (double now = 0.0; now < s_.until_s; ++step) {
      take_arrivals(now);
      while (!waiting_.empty() && static_cast<std::int64_t>(ends_.size()) < limits.seats) admit(now, step);
      if (ends_.empty()) {
        now = arrival_s_;
        continue;
      }
      const auto batch = static_cast<std::int64_t>(ends_.size());
      const double stall = s_.stall_ms(now);
      const double time = s_.base_ms + s_.slope_ms * static_cast<double>(batch) + stall;
      now += time * 1e-3;
      ControlView view = seen(step, batch, milliseconds(time));
      end_answers(step, view);
      take_arrivals(now);
      view.waiting = static_cast<std::int64_t>(waiting_.size());
      out_.steps.push_back({now, time, stall, batch, limits.seats, view.waiting});
      if (controller != nullptr) controller->on_step(view, limits);
    }
    return std::move(out_);
  }

 private:
  // Thinning (Lewis & Shedler 1979): candidates at the largest rate, each kept with its share.
  void next_arrival() {
    do {
      arrival_s_ += gaps_.exponential(StreamKey{candidate_}) / s_.rate_max;
    } while (thin_.uniform(StreamKey{candidate_++}) * s_.rate_max > s_.rate_per_s(arrival_s_));
  }
  void take_arrivals(double now) {
    for (; arrival_s_ <= now; next_arrival()) waiting_.push_back(arrival_s_);
  }
  void admit(double now, std::uint64_t step) {
    out_.waits.push_back({waiting_.front(), (now - waiting_.front()) * 1e3});
    waiting_.pop_front();
    const double u = lengths_.uniform(StreamKey{request_++});
    const double tokens = 1.0 + std::floor(std::log(u) / std::log1p(-1.0 / s_.mean_output));
    ends_.push({step + static_cast<std::uint64_t>(tokens) - 1, static_cast<std::int64_t>(tokens)});
  }
  void end_answers(std::uint64_t step, ControlView& view) {
    for (; !ends_.empty() && ends_.top().step <= step; ends_.pop()) {
      ++view.finished;
      view.finished_tokens += ends_.top().tokens;
      view.finished_tokens_squared += std::pow(static_cast<double>(ends_.top().tokens), 2);
    }
    view.running = static_cast<std::int64_t>(ends_.size());
  }
  [[nodiscard]] ControlView seen(std::uint64_t step, std::int64_t batch, Seconds time) const {
    ControlView view;
    view.step = step;
    view.step_time = view.gpu_time = time;
    view.decode_sequences = batch;
    view.total_blocks = view.free_blocks = s_.kv_blocks;
    view.max_num_seqs = s_.seats;
    view.max_num_batched_tokens = 8192;
    return view;
  }

  struct Answer {
    std::uint64_t step;
    std::int64_t tokens;
    bool operator>(const Answer& o) const { return step > o.step; }
  };
  ToySettings s_;
  RandomStream gaps_, thin_, lengths_;
  std::uint64_t candidate_ = 0, request_ = 0;
  double arrival_s_ = 0.0;
  std::deque<double> waiting_;
  std::priority_queue<Answer, std::vector<Answer>, std::greater<>> ends_;
  ToyRun out_;
};

/// The q-quantile (nearest rank) of the waits of requests that arrived in [from, to); 0 when there are none.
inline double wait_quantile(const ToyRun& run, double q, double from_s, double to_s) {
  std::vector<double> waits;
  for (const ToyWait& w : run.waits) {
    if (w.at_s >= from_s && w.at_s < to_s) waits.push_back(w.wait_ms);
  }
  if (waits.empty()) return 0.0;
  std::sort(waits.begin(), waits.end());
  return waits[std::min(waits.size() - 1, static_cast<std::size_t>(q * static_cast<double>(waits.size())))];
}

/// Mean of `value` over the steps that end in [from, to).
template <class Value>
double step_mean(const ToyRun& run, double from_s, double to_s, Value value) {
  double sum = 0.0, n = 0.0;
  for (const ToyStep& step : run.steps) {
    if (step.at_s < from_s || step.at_s >= to_s) continue;
    sum += static_cast<double>(value(step));
    n += 1.0;
  }
  return n > 0.0 ? sum / n : 0.0;
}

inline double mean_batch(const ToyRun& run, double from_s, double to_s) {
  return step_mean(run, from_s, to_s, [](const ToyStep& s) { return s.batch; });
}

/// The smallest mean over a second that lies in [from, to): a single small batch is chance.
inline double smallest_batch(const ToyRun& run, double from_s, double to_s) {
  double smallest = mean_batch(run, from_s, from_s + 1.0);
  for (double t = from_s; t + 1.0 <= to_s; t += 0.5) smallest = std::min(smallest, mean_batch(run, t, t + 1.0));
  return smallest;
}

/// Seconds from `stalled_until` until the p95 wait over the 5 s that follow is back below `limit_ms` and stays so until `to`.
inline double recovery_s(const ToyRun& run, double stalled_until, double to, double limit_ms) {
  double last_bad = stalled_until;
  for (double t = stalled_until; t + 5.0 <= to; t += 0.5) {
    if (wait_quantile(run, 0.95, t, t + 5.0) > limit_ms) last_bad = t + 0.5;
  }
  return last_bad - stalled_until;
}

}  // namespace brink::policy::testing
