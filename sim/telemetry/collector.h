// Collects what a run does, in memory O(active requests + seconds) unless rows are asked for,
// and turns it into the result files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "sim/serving/i_recorder.h"

namespace brink::telemetry {

struct OutputOptions {
  bool requests = true;    // requests.csv
  bool steps = false;      // steps.jsonl
  bool timeline = false;   // timeline.json (Perfetto)
  bool timeseries = true;  // timeseries.csv at 1 s
};

/// Limits a service-level objective sets; absent ones are NaN. Milliseconds.
struct SloLimits {
  double ttft_p99_ms, tpot_p99_ms, e2el_p99_ms;
};

/// Facts of the run that the collector cannot see (header of the summary).
struct RunFacts {
  std::string name, model_id, engine, engine_version;
  std::int64_t replicas = 1, tensor_parallel_size = 1, gpus = 1;
  std::int64_t kv_blocks = 0, block_size = 16;  // a replica
  std::string request_rate = "inf";             // as vLLM writes it: "inf" or a number
  double burstiness = 1.0;
  std::int64_t max_concurrency = 0;  // 0: none
  double warmup_s = 0.0;             // requests that arrive earlier are left out of the statistics
  SloLimits slo;
  OutputOptions output;
  Json scenario;    // as resolved -> scenario.json
  Json provenance;  // -> summary "provenance"
};

/// A finished run's files: name -> content is written as a whole by write_results().
struct ResultFile {
  std::string name;
  std::string content;
};

class Collector final : public serving::IRecorder {
 public:
  explicit Collector(RunFacts facts);
  ~Collector() override;

  void on_request(const serving::RequestRecord& record) override;
  void on_step(const serving::StepRecord& record) override;
  void on_intervals(const serving::TokenIntervals& intervals) override;
  void on_in_flight(Seconds at, std::int64_t in_flight) override;
  void on_first_tokens(Seconds at, std::int64_t count) override;
  void on_queue(ReplicaId replica, Seconds at, std::int64_t waiting) override;

  /// Ends the run at simulated time `end` and returns the summary.
  [[nodiscard]] Json summary(Seconds end);
  /// All result files (summary.json, requests.csv, timeseries.csv, ..., scenario.json). After summary().
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
