#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <functional>

#include "kernels/runner/json.h"
#include "kernels/runner/samples.h"

namespace brink::kernels {

/// How the GPU is timed. No method has a host launch inside its interval.
enum class Method {
  /// `batch` launches captured into one CUDA graph between two event nodes: steady state, caches
  /// as the launches leave them. The launch must be capturable: no allocation, no synchronisation.
  graph,
  /// `batch` launches between two stream events, for what cannot be captured. The host must
  /// enqueue faster than the GPU works, so one launch should take some 10 us or more.
  stream,
  /// One launch between two stream events, after a read of more than twice the L2 that leaves it
  /// full of clean foreign lines; the host enqueues during that read.
  cold,
  /// The point timed itself: by the device's timer or the host's clock, as its group says.
  own,
};

struct MeasureOptions {
  Method method = Method::graph;
  int batch = 0;  ///< launches a sample; 0: as many as take sample_min_s. `cold` always has one
  int batch_max = 256;
  double sample_min_s = 300e-6;  ///< events tick at about 0.5 us: 0.2 % of this
  double warm_up_s = 2e-3;       ///< of launches before the first sample
  StopRule stop;
};

/// Result of one measurement, per launch.
struct Timing {
  SampleSummary seconds;
  int batch = 1;
  Method method = Method::graph;
  double clock_mhz = 0;                ///< SM clock right after the samples, from the device's own counters
  std::uint64_t throttle_reasons = 0;  ///< NVML bits seen during the samples; 0 without NVML
  bool throttled = false;              ///< any of thermal, power brake, hardware slow-down, power cap
  int discarded = 0;                   ///< samples thrown away under thermal or hardware slow-down
};

/// Launches the work once on a stream. `iteration` counts up from 0 within a sample: index buffers
/// by it to rotate among them.
using Launch = std::function<void(cudaStream_t stream, int iteration)>;

}  // namespace brink::kernels
