#include "sim/telemetry/collector.h"

#include <algorithm>
#include <optional>

#include "sim/telemetry/cascades.h"
#include "sim/telemetry/drift_stats.h"
#include "sim/telemetry/low_water.h"
#include "sim/telemetry/p99_drift.h"
#include "sim/telemetry/plan_stats.h"
#include "sim/telemetry/records_s.h"
#include "sim/telemetry/records_x.h"
#include "sim/telemetry/regime_stats.h"
#include "sim/telemetry/request_stats.h"
#include "sim/telemetry/requests_csv.h"
#include "sim/telemetry/step_stats.h"
#include "sim/telemetry/steps_jsonl.h"
#include "sim/telemetry/summary.h"
#include "sim/telemetry/time_series.h"
#include "sim/telemetry/timeline.h"
#include "sim/telemetry/wait_stats.h"

namespace brink::telemetry {

namespace {

class NoLedger final : public world::ILedger {
 public:
  world::CauseId add(const world::LedgerEvent&) override { return 0; }
  void extend(world::CauseId, Seconds, Seconds, double, std::int64_t) override {}
};

/// The records of requests and steps, and what joins them.
struct Records {
  XRecords x;
  SRecords s;
  std::vector<LowWater> free_blocks;  // by replica

  void add(const serving::StepRecord& record) {
    const auto replica = static_cast<std::size_t>(record.replica.value);
    if (replica >= free_blocks.size()) free_blocks.resize(replica + 1);
    free_blocks[replica].push(record.end, record.kv_free);
    s.add(record);
  }

  void add(const serving::RequestRecord& record) {
    if (!x.wants(record.id)) return;
    const auto replica = static_cast<std::size_t>(record.replica.value);
    const bool ran = is_finite(record.scheduled) && replica < free_blocks.size();
    x.add(record, ran ? free_blocks[replica].since(record.scheduled, -1) : -1);
  }
};

}  // namespace

struct Collector::State {
  explicit State(RunFacts f)
      : facts(std::move(f)),
        requests(warmup(), facts.slo),
        steps(warmup(), replicas(), facts.kv_blocks),
        waits(warmup()),
        p99_drift(warmup()),
        steps_jsonl(facts.followed) {
    const OutputOptions& output = facts.output;
    if (facts.followed.regimes) regimes.emplace(warmup(), replicas());
    if (facts.followed.causes) cascades.emplace(warmup(), facts.slo);
    if (output.timeseries) series.emplace(replicas(), facts.kv_blocks, facts.followed);
    if (output.timeline) timeline.emplace(facts.kv_blocks);
    if (output.requests) requests_csv = requests_csv_header;
    if (output.records != RecordMode::none) {
      records.emplace(Records{XRecords(output.records, facts.records),
                              SRecords(output.records, facts.records, facts.tensor_parallel_size), {}});
    }
  }

  [[nodiscard]] Seconds warmup() const { return Seconds(facts.warmup_s); }
  [[nodiscard]] std::size_t replicas() const {
    return static_cast<std::size_t>(std::max<std::int64_t>(1, facts.replicas));
  }

  /// Sections of the summary about how the run executed: those of what was followed and seen.
  [[nodiscard]] Json sections() const {
    Json out = Json::object();
    if (!facts.hypotheses.empty()) out.set("hypotheses", Json::array_of(facts.hypotheses));
    if (plans) out.set("plans", plans->json(end));
    if (regimes) out.set("regimes", regimes->json(end));
    if (waits.any()) out.set("waits", waits.json());
    if (drift) out.set("drift", drift->json());
    if (p99_drift.any()) out.set("p99_drift", p99_drift.json());
    if (cascades) out.set("cascades", cascades->json());
    return out;
  }

  RunFacts facts;
  RequestStats requests;
  StepStats steps;
  WaitStats waits;
  P99Drift p99_drift;
  std::optional<PlanStats> plans;
  std::optional<RegimeStats> regimes;
  std::optional<DriftStats> drift;
  std::optional<Cascades> cascades;
  NoLedger no_ledger;
  std::optional<TimeSeries> series;
  std::optional<Timeline> timeline;
  std::optional<Records> records;
  std::string requests_csv;
  StepsJsonl steps_jsonl;
  Seconds end{0.0};
  Json summary;
};

Collector::Collector(RunFacts facts) : state_(std::make_unique<State>(std::move(facts))) {}
Collector::~Collector() = default;

void Collector::follow_plans(const plan::TacticNames& names, const transformer::OperatorGraph& graph) {
  if (!state_->facts.followed.plans) return;
  state_->plans.emplace(state_->warmup(), names, graph);
  state_->steps_jsonl.follow_plans(graph);
  if (state_->records) state_->records->s.follow_plans(names, graph);
}

void Collector::follow_drift(const DriftFacts& facts) {
  if (state_->facts.followed.drift) state_->drift.emplace(state_->warmup(), facts);
}

world::ILedger& Collector::ledger() {
  if (state_->cascades) return state_->cascades->ledger();
  return state_->no_ledger;
}

void Collector::on_request(const serving::RequestRecord& record) {
  State& state = *state_;
  state.requests.add(record);
  state.p99_drift.add(record);
  if (state.drift) state.drift->add(record);
  if (state.cascades) state.cascades->add(record);
  if (state.facts.output.requests) append_request_row(state.requests_csv, record, state.facts.followed);
  if (state.timeline) state.timeline->add(record);
  if (state.records) state.records->add(record);
}

void Collector::on_step(const serving::StepRecord& record) {
  State& state = *state_;
  state.steps.add(record);
  state.waits.add(record);
  if (state.plans) state.plans->add(record);
  if (state.regimes) state.regimes->add(record);
  if (state.series) state.series->add(record);
  if (state.facts.output.steps) state.steps_jsonl.add(record);
  if (state.timeline) state.timeline->add(record);
  if (state.records) state.records->add(record);
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
  state_->summary = make_summary(state_->facts, state_->requests, state_->steps, end, state_->sections());
  return state_->summary;
}

std::vector<ResultFile> Collector::files() {
  State& state = *state_;
  const OutputOptions& output = state.facts.output;
  std::vector<ResultFile> files;
  files.push_back({"summary.json", state.summary.dump(2) + "\n"});
  files.push_back({"scenario.json", state.facts.scenario.dump(2) + "\n"});
  if (output.requests) files.push_back({"requests.csv", std::move(state.requests_csv)});
  if (state.series) files.push_back({"timeseries.csv", state.series->csv(state.end)});
  if (state.plans) files.push_back({"tactics.csv", state.plans->csv()});
  if (state.regimes) files.push_back({"regimes.csv", state.regimes->csv(state.end)});
  if (output.steps) files.push_back({"steps.jsonl", std::move(state.steps_jsonl.lines())});
  if (state.records) {
    files.push_back({"x.jsonl", state.records->x.jsonl()});
    files.push_back({"s.jsonl", state.records->s.jsonl()});
  }
  if (state.cascades && output.ledger) files.push_back({"ledger.jsonl", state.cascades->ledger().jsonl()});
  if (state.timeline) {
    if (state.cascades) state.timeline->add(state.cascades->ledger());
    files.push_back({"timeline.json", state.timeline->json()});
  }
  return files;
}

std::int64_t Collector::finished_requests() const { return state_->requests.counts().seen; }

}  // namespace brink::telemetry
