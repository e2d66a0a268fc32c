// Collects what a run does, in memory O(active requests + seconds + non-routine events) unless rows
// are asked for, and turns it into the result files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "models/plan/tactic.h"
#include "models/transformer/operator_graph.h"
#include "sim/serving/i_recorder.h"
#include "sim/telemetry/run_facts.h"
#include "sim/world/i_ledger.h"

namespace brink::telemetry {

struct DriftFacts;

class Collector final : public serving::IRecorder {
 public:
  explicit Collector(RunFacts facts);
  ~Collector() override;

  /// Needed before the first step where RunFacts::followed.plans is set: the names of the run's tactics (one table
  /// for all its replicas, as are the numbers of PlanPart) and the operators they belong to. Both outlive summary()
  /// and files().
  void follow_plans(const plan::TacticNames& names, const transformer::OperatorGraph& graph);

  /// Needed before the first request ends where RunFacts::followed.drift is set.
  void follow_drift(const DriftFacts& facts);

  /// Where the mechanisms note what caused what; keeps nothing unless RunFacts::followed.causes is set.
  [[nodiscard]] world::ILedger& ledger();

  void on_request(const serving::RequestRecord& record) override;
  void on_step(const serving::StepRecord& record) override;
  void on_intervals(const serving::TokenIntervals& intervals) override;
  void on_in_flight(Seconds at, std::int64_t in_flight) override;
  void on_first_tokens(Seconds at, std::int64_t count) override;
  void on_queue(ReplicaId replica, Seconds at, std::int64_t waiting) override;

  /// Ends the run at simulated time `end` and returns the summary.
  [[nodiscard]] Json summary(Seconds end);
  /// All result files (summary.json, requests.csv, timeseries.csv, ..., scenario.json). After summary(), once.
  [[nodiscard]] std::vector<ResultFile> files();

  /// Requests that reached a terminal state so far (for progress).
  [[nodiscard]] std::int64_t finished_requests() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Writes the files into a temporary folder beside `dir`, then renames it into place (an
/// existing result folder, known by its summary.json, or an empty folder is replaced as a whole;
/// anything else at `dir` is an error). Throws Error and leaves nothing half-written.
void write_results(const std::string& dir, const std::vector<ResultFile>& files);

}  // namespace brink::telemetry
