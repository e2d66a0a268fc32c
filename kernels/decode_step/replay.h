#pragma once

#include <cstdint>
#include <vector>

#include "kernels/decode_step/batcher.h"
#include "kernels/runner/json.h"

namespace brink::kernels {

/// How long a step took.
struct StepTimes {
  double wall_s = 0;  ///< from the plan in hand to the sampled tokens on the host
  double gpu_s = 0;   ///< between events around the work
  int padded = 0;     ///< rows of the CUDA graph; 0: none
};

/// What runs steps: the GPU, or a closed form in tests.
class StepDevice {
 public:
  virtual ~StepDevice() = default;
  virtual StepTimes run(const StepPlan& step, const Batcher& batcher) = 0;
};

struct StepRecord {
  double start_s;
  StepTimes times;
  int decodes;
  int prefill_tokens;
  std::int64_t context_sum;
};

struct ReplayResult {
  std::vector<StepRecord> steps;
  std::vector<double> ttft_s;  ///< by request; negative: it gave no token before the limit
  std::vector<double> finish_s;
  std::vector<double> itl_s;  ///< pooled over tokens
  int finished = 0;
  int preemptions = 0;
};

/// Replays the trace in the device's own time: the clock advances by each step's wall time and jumps over idle gaps.
/// Stops, unfinished, once the steps have taken `wall_limit_s`.
ReplayResult replay(const std::vector<TraceRequest>& trace, const BatchLimits& limits, StepDevice& device,
                    double wall_limit_s);

/// Linear-interpolated percentile, as numpy's default; 0 for no values.
double percentile(std::vector<double> values, double percent);

/// Step times, TTFT and ITL: percentiles, and per step and per request columns of everything a simulation of the same
/// trace is compared with.
JsonObject replay_json(const std::vector<TraceRequest>& trace, const ReplayResult& result);

}  // namespace brink::kernels
