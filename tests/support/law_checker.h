// Listens to a run and holds it to the laws that no run may break, while it keeps the
// latencies' batch means. Memory is O(batches), whatever the run's length.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/serving/engine_config.h"
#include "sim/serving/i_recorder.h"

namespace brink::testing {

/// Means of equal runs of consecutive values: their scatter gives the standard error of the
/// mean even though neighbours in a queue are correlated, and regression on a control whose
/// mean is known to be zero takes out what an unlucky draw of the inputs explains (Law,
/// Simulation Modeling and Analysis, 5th ed., sections 9.5.3 and 11.4). With 50 batches
/// (mean - truth)/SE is Student's t with 48 degrees of freedom: P(|t| > 4) = 2.2e-4 is the
/// false-failure rate of a 4 SE test.
class BatchMeans {
 public:
  explicit BatchMeans(std::uint64_t expected, std::uint64_t batches = 50)
      : size_(std::max<std::uint64_t>(1, expected / batches)) {}

  void add(double value, double control = 0.0) {
    sum_ += value;
    control_sum_ += control;
    if (++count_ == size_) {
      values_.push_back(sum_ / static_cast<double>(size_));
      controls_.push_back(control_sum_ / static_cast<double>(size_));
      sum_ = control_sum_ = 0.0;
      count_ = 0;
    }
  }
  [[nodiscard]] double mean() const { return average(values_) - slope() * average(controls_); }
  [[nodiscard]] double standard_error() const {
    const double n = static_cast<double>(values_.size()), b = slope();
    const double centre = average(values_), control_centre = average(controls_);
    double squares = 0.0, control_squares = 0.0;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const double c = controls_[i] - control_centre, r = values_[i] - centre - b * c;
      squares += r * r;
      control_squares += c * c;
    }
    const double stretch = control_squares > 0.0 ? control_centre * control_centre / control_squares : 0.0;
    return std::sqrt(squares / (n - 2.0) * (1.0 / n + stretch));
  }

 private:
  static double average(const std::vector<double>& x) {
    double total = 0.0;
    for (const double v : x) total += v;
    return total / static_cast<double>(x.size());
  }
  [[nodiscard]] double slope() const {
    const double centre = average(values_), control_centre = average(controls_);
    double both = 0.0, control = 0.0;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      both += (values_[i] - centre) * (controls_[i] - control_centre);
      control += (controls_[i] - control_centre) * (controls_[i] - control_centre);
    }
    return control > 0.0 ? both / control : 0.0;
  }

  std::uint64_t size_, count_ = 0;
  double sum_ = 0.0, control_sum_ = 0.0;
  std::vector<double> values_, controls_;
};

class LawChecker final : public serving::IRecorder {
 public:
  LawChecker(const serving::EngineConfig& engine, std::uint64_t expected_requests)
      : sojourn(expected_requests), engine_(engine) {}

  BatchMeans sojourn;  // finish - sent
  /// Something of a request whose mean is known to be zero, e.g. its service less its mean.
  std::function<double(const serving::RequestRecord&)> control = [](const serving::RequestRecord&) { return 0.0; };

  void on_request(const serving::RequestRecord& r) override {
    require(r.id.value >= ended_.size() || !ended_[r.id.value], "a request ended twice");
    if (r.id.value >= ended_.size()) ended_.resize(2 * r.id.value + 16, false);
    ended_[r.id.value] = true;
    ++ends_;
    sojourns_.add((r.finish - r.sent).value());
    last_end_ = std::max(last_end_, r.finish);
    if (r.outcome != serving::Outcome::completed) return;
    require(r.arrival <= r.sent && r.sent <= r.queued && r.queued <= r.scheduled && r.scheduled <= r.first_token &&
                r.first_token <= r.finish,
            "a request's instants are out of order");
    require(r.output_tokens >= 1, "a completed request without tokens");
    tokens_delivered_ += r.output_tokens;
    seat_time_of_requests_.add((r.finish - r.scheduled).value());
    sojourn.add((r.finish - r.sent).value(), control(r));
  }

  void on_step(const serving::StepRecord& s) override {
    require(s.start <= s.end && s.end >= last_step_, "steps end out of order");
    last_step_ = s.end;
    require(s.running <= engine_.max_num_seqs, "more sequences than seats");
    require(s.decode_sequences + s.prefill_tokens <= engine_.max_num_batched_tokens, "a step over its token budget");
    require(s.kv_blocks_used >= 0 && s.kv_blocks_used <= engine_.kv_blocks, "more KV blocks than there are");
    require(s.decode_sequences + s.prefill_chunks > 0, "an empty step");
    tokens_out_ += s.tokens_out;
    finished_ += s.finished;
    busy_.add((s.end - s.start).value());
    seat_time_of_steps_.add((s.end - s.start).value() * static_cast<double>(s.decode_sequences + s.prefill_chunks));
    ++steps_;
  }
  void on_intervals(const serving::TokenIntervals& i) override {
    require(i.interval > Seconds(0.0) && i.count > 0, "an inter-token interval that is not positive");
    later_tokens_ += i.count;
  }
  void on_in_flight(Seconds at, std::int64_t count) override {
    require(at >= last_change_, "the clock ran backwards");
    require(std::abs(count - in_flight_) == 1, "more than one request at a time came or went");
    population_.add((at - last_change_).value() * static_cast<double>(in_flight_));
    last_change_ = at;
    if (count > in_flight_) ++begins_;
    in_flight_ = count;
  }
  void on_first_tokens(Seconds, std::int64_t count) override { first_tokens_ += count; }
  void on_queue(ReplicaId, Seconds, std::int64_t waiting_now) override { require(waiting_now > 0, "an empty queue grew"); }

  /// The laws that hold once the run has ended with nothing left.
  void finish() const {
    require(in_flight_ == 0 && begins_ == ends_, "requests are not conserved");
    require(tokens_out_ == tokens_delivered_, "tokens out of the engine are not those delivered");
    require(first_tokens_ + later_tokens_ == tokens_out_, "token intervals and first tokens do not add up");
    // Little's law on the sample path: the time integral of the population is the sum of the stays.
    close(population_.value(), sojourns_.value(), "Little's law");
  }
  /// U = X S, for engines whose batches hold every running sequence and whose answers take no
  /// time on the way: the seats' busy time, told from the steps and from the requests.
  void utilisation_law() const { close(seat_time_of_steps_.value(), seat_time_of_requests_.value(), "U = X S"); }

  [[nodiscard]] double busy_time() const { return busy_.value(); }
  [[nodiscard]] double end_time() const { return last_end_.value(); }
  [[nodiscard]] double mean_population() const { return population_.value() / last_change_.value(); }
  [[nodiscard]] std::uint64_t ends() const { return ends_; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

 private:
  /// Neumaier's compensated sum: the laws are exact, so their two sides must be.
  class Sum {
   public:
    void add(double x) {
      const double t = sum_ + x;
      rest_ += std::abs(sum_) >= std::abs(x) ? (sum_ - t) + x : (x - t) + sum_;
      sum_ = t;
    }
    [[nodiscard]] double value() const { return sum_ + rest_; }

   private:
    double sum_ = 0.0, rest_ = 0.0;
  };

  static void require(bool holds, const char* what) {
    if (!holds) throw std::logic_error(what);
  }
  /// 1e-9 relative and two units in the last place of the clock for every instant that enters.
  void close(double a, double b, const char* what) const {
    const double ulp = std::nextafter(last_change_.value(), std::numeric_limits<double>::infinity()) - last_change_.value();
    if (!(std::abs(a - b) <= 1e-9 * std::abs(a) + 2.0 * ulp * static_cast<double>(2 * ends_ + steps_))) {
      throw std::logic_error(std::string(what) + " is broken: " + std::to_string(a) + " against " + std::to_string(b));
    }
  }

  serving::EngineConfig engine_;
  std::vector<bool> ended_;
  std::uint64_t begins_ = 0, ends_ = 0, steps_ = 0;
  std::int64_t in_flight_ = 0, tokens_delivered_ = 0, tokens_out_ = 0, finished_ = 0, later_tokens_ = 0, first_tokens_ = 0;
  Seconds last_change_, last_step_, last_end_;
  Sum population_, sojourns_, busy_, seat_time_of_steps_, seat_time_of_requests_;
};

}  // namespace brink::testing
