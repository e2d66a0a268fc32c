// What the collector is told about a run: what to follow, what to write, and facts of the system that no record holds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "models/base/units.h"

namespace brink::telemetry {

/// How many of the reproducibility records (x.jsonl, s.jsonl) are written.
enum class RecordMode : std::uint8_t {
  none,
  sampled,  // 1 % of the requests by a keyed hash; steps now and then and where something changed
  full,
};

struct OutputOptions {
  bool requests = true;    // requests.csv
  bool steps = false;      // steps.jsonl
  bool timeline = false;   // timeline.json (Perfetto)
  bool timeseries = true;  // timeseries.csv at 1 s
  RecordMode records = RecordMode::none;  // x.jsonl, s.jsonl
  bool ledger = false;     // ledger.jsonl
};

/// What the mechanisms follow in this run. What is not followed costs nothing and has no section in the summary.
struct Followed {
  bool plans = false;
  bool regimes = false;
  bool drift = false;
  bool causes = false;  // the ledger
};

/// Limits a service-level objective sets; absent ones are NaN. Milliseconds.
struct SloLimits {
  double ttft_p99_ms, tpot_p99_ms, e2el_p99_ms;
};

/// What the reproducibility records need to know of the system.
struct RecordFacts {
  std::uint64_t seed = 0;
  std::int64_t heads = 0, hidden = 0;  // of the whole model
  Bytes kv_block;                      // one KV block on one rank
  std::string isolation = "shared";    // or "strict"
  bool autotune = false;
  std::string route;                   // routing policy
  std::vector<std::string> gates;      // what may change or refuse a request: "shaping:latency_guard"
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
  Followed followed;
  RecordFacts records;
  std::vector<std::string> hypotheses;  // switches of /hypotheses that are on, by name
  Json scenario;    // as resolved -> scenario.json
  Json provenance;  // -> summary "provenance"
};

/// A finished run's files: name -> content is written as a whole by write_results().
struct ResultFile {
  std::string name;
  std::string content;
};

}  // namespace brink::telemetry
