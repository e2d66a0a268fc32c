// A workload: a request source plus what the client does with it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "sim/workload/i_request_source.h"

namespace brink::workload {

struct Workload {
  std::unique_ptr<IRequestSource> source;

  /// The client sends a request only while fewer than this many are in flight (vLLM bench's
  /// --max-concurrency). A held-back request's latencies count from its sending. A closed
  /// loop with concurrency C is a source whose requests all want to go at once, capped at C.
  std::optional<std::int64_t> max_in_flight;

  /// A closed loop given a duration sends nothing from this instant on.
  std::optional<Seconds> stop_sending_at;

  /// Prompts are a pool of this many texts sent in turn, so that prefix caching finds all but
  /// each one's first sending; absent: every prompt is unique.
  std::optional<std::int64_t> prompt_pool;

  /// Expected share of the requests by tenant; they sum to 1.
  std::vector<double> tenant_shares = {1.0};

  /// "inf", or the mean rate the arrivals aim at, in requests/s (for the summary header).
  std::optional<double> nominal_rate_per_s;
  double burstiness = 1.0;
};

/// Builds the workload described by the scenario's /workload: an object, or the path of a file that
/// holds one (pointers in errors then start at that file's root, and the error names it). Keys: see
/// docs/model/workload.md. `pointer` is where `description` stands in its file; relative
/// paths are resolved against `base_dir`. Throws ConfigError, and TraceError for a trace whose
/// header or first rows cannot be used.
[[nodiscard]] Workload make_workload(const Json& description, const std::string& pointer, const std::string& base_dir,
                                     std::uint64_t seed);

}  // namespace brink::workload
