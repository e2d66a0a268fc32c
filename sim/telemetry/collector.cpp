#include "sim/telemetry/collector.h"

#include <algorithm>
#include <optional>

#include "sim/telemetry/request_stats.h"
#include "sim/telemetry/requests_csv.h"
#include "sim/telemetry/step_stats.h"
#include "sim/telemetry/steps_jsonl.h"
#include "sim/telemetry/summary.h"
#include "sim/telemetry/time_series.h"
#include "sim/telemetry/timeline.h"

namespace brink::telemetry {

struct Collector::State {
  explicit State(RunFacts f)
      : facts(std::move(f)),
        requests(Seconds(facts.warmup_s), facts.slo),
        steps(Seconds(facts.warmup_s), replicas(), facts.kv_blocks) {
    if (facts.output.timeseries) series.emplace(replicas(), facts.kv_blocks);
    if (facts.output.timeline) timeline.emplace(facts.kv_blocks);
    if (facts.output.requests) requests_csv = requests_csv_header;
  }

  [[nodiscard]] std::size_t replicas() const {
    return static_cast<std::size_t>(std::max<std::int64_t>(1, facts.replicas));
  }

  RunFacts facts;
  RequestStats requests;
  StepStats steps;
  std::optional<TimeSeries> series;
  std::optional<Timeline> timeline;
  std::string requests_csv, steps_jsonl;
  Seconds end{0.0};
  Json summary;
};

Collector::Collector(RunFacts facts) : state_(std::make_unique<State>(std::move(facts))) {}
Collector::~Collector() = default;

void Collector::on_request(const serving::RequestRecord& record) {
  state_->requests.add(record);
  if (state_->facts.output.requests) append_request_row(state_->requests_csv, record);
  if (state_->timeline) state_->timeline->add(record);
}

void Collector::on_step(const serving::StepRecord& record) {
  state_->steps.add(record);
  if (state_->series) state_->series->add(record);
  if (state_->facts.output.steps) append_step_line(state_->steps_jsonl, record);
  if (state_->timeline) state_->timeline->add(record);
}

void Collector::on_intervals(const serving::TokenIntervals& intervals) { state_->requests.add_intervals(intervals); }

void Collector::on_in_flight(Seconds at, std::int64_t in_flight) { state_->requests.set_in_flight(at, in_flight); }

void Collector::on_first_tokens(Seconds at, std::int64_t count) { state_->requests.add_first_tokens(at, count); }

void Collector::on_queue(ReplicaId replica, Seconds at, std::int64_t waiting) {
  if (state_->series) state_->series->set_waiting(replica, at, waiting);
  if (state_->timeline) state_->timeline->set_waiting(replica, at, waiting);
}

Json Collector::summary(Seconds end) {
  state_->end = end;
  state_->summary = make_summary(state_->facts, state_->requests, state_->steps, end);
  return state_->summary;
}

std::vector<ResultFile> Collector::files() {
  State& state = *state_;
  const OutputOptions& output = state.facts.output;
  std::vector<ResultFile> files;
  files.push_back({"summary.json", state.summary.dump(2) + "\n"});
  files.push_back({"scenario.json", state.facts.scenario.dump(2) + "\n"});
  if (output.requests) files.push_back({"requests.csv", std::move(state.requests_csv)});
  if (output.timeseries) files.push_back({"timeseries.csv", state.series->csv(state.end)});
  if (output.steps) files.push_back({"steps.jsonl", std::move(state.steps_jsonl)});
  if (output.timeline) files.push_back({"timeline.json", state.timeline->json()});
  return files;
}

std::int64_t Collector::finished_requests() const { return state_->requests.counts().seen; }

}  // namespace brink::telemetry
