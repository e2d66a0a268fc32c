// The constants that turn kernel times into step times, from a profile's `in_situ` object
// (one GPU model) and its `host` object (one engine version). They are fitted on whole
// serving runs, all of them together: see docs/model/step-time.md.
#pragma once

#include <string>

#include "models/base/json.h"
#include "models/base/units.h"
#include "models/cost/badge.h"

namespace brink::cost {

/// How kernels behave inside a step rather than alone in a benchmark. Global to a GPU model.
struct InSitu {
  /// Attention time in a step over its time alone, once the overlap is off.
  double attention_factor = 1.0;
  /// Part of an attention call timed alone that a step does not pay in every layer: the launch
  /// behind the kernel before it, and the tile scheduler's set-up, done once a step.
  Seconds attention_overlap{0.0};
  /// What compute-bound kernels reach at the clocks of long runs; benchmarks run in bursts.
  FlopsPerSecond sustained_flops{0.0};
  /// Host time to launch one kernel of compiled code outside a graph: the GPU cannot run faster than the host feeds
  /// it. 4 to 6 us a launch.
  Seconds compiled_launch{5e-6};
  /// The same for an operator called eagerly from Python: the floor of vLLM's custom all-reduce called so, 20 to
  /// 24 us whatever its size (AIConfigurator, H100 SXM).
  Seconds eager_launch{20e-6};

  /// An absent object (null) gives kernels as measured alone and the GPU's own sustained rate.
  static InSitu from_json(const Json& json, FlopsPerSecond sustained);
};

/// What one engine version's host code costs.
struct HostCost {
  Seconds request;            // front end, a request: HTTP, tokenising, hand-over to the engine
  Seconds schedule;           // forming a batch and preparing its inputs; hidden by async scheduling
  Seconds step_gap;           // between two batches on the GPU; hidden by nothing
  Seconds stream_per_token;   // front end, a token sent to a client; one after another
  Seconds sampler_per_logit;  // sampling kernels, a row and vocabulary entry
  std::string version;        // of the entry that answered
  Badge badge = Badge::measured;
};

/// The entry for `engine` and `version` ("0.15", "0.15.1"): the same minor version, else the
/// nearest older one, else the oldest (both `extrapolated`). Throws ConfigError at
/// /engine/name or /engine/version.
[[nodiscard]] HostCost host_cost(const Json& host, const std::string& engine, const std::string& version);

/// "0.15.1" -> 15 thousandths and so on: an order of versions by (major, minor).
[[nodiscard]] std::int64_t version_order(const std::string& version);

}  // namespace brink::cost
