#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <functional>
#include <vector>

#include "kernels/runner/device_memory.h"
#include "kernels/runner/nvml.h"
#include "kernels/runner/timing.h"

namespace brink::kernels {

const char* method_name(Method method);
void mark_throttle(Timing& timing, std::uint64_t reasons);

/// Times launches on one stream: see Method for the ways, MeasureOptions for when it stops.
class Meter {
 public:
  Meter(cudaStream_t stream, std::size_t l2_bytes, const Nvml& nvml);
  ~Meter();
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  Timing measure(const MeasureOptions& options, const Launch& launch);
  void flush_l2(cudaStream_t stream);
  double probe_clock_mhz();
  /// False where this driver does not time event nodes: graphs are then timed from outside.
  bool events_in_graphs() const { return events_in_graphs_; }

 private:
  /// Takes samples until the rule is met. `round` appends one sample or more, in seconds;
  /// `load` enqueues the work once more, for the clock probe behind it.
  void take_samples(const MeasureOptions& options, Timing& timing, const std::function<void(std::vector<double>&)>& round,
                    const std::function<void()>& load);
  void measure_graph(const MeasureOptions& options, const Launch& launch, Timing& timing);
  void measure_stream(const MeasureOptions& options, const Launch& launch, Timing& timing);
  void measure_cold(const MeasureOptions& options, const Launch& launch, Timing& timing);
  double stream_sample(int batch, const Launch& launch);
  double graph_sample(cudaGraphExec_t graph);
  void raise_clocks();
  void try_event_nodes();
  double elapsed_s(int pair) const;
  void enqueue_clock_probe();
  double read_clock_probe();

  static constexpr int pairs = 8;  // samples in flight of the cold method

  cudaStream_t stream_;
  const Nvml& nvml_;
  DeviceArray<uint4> flush_;
  DeviceArray<unsigned long long> clock_out_;
  DeviceArray<unsigned> sink_;
  cudaEvent_t begin_[pairs] = {};
  cudaEvent_t end_[pairs] = {};
  bool events_in_graphs_ = true;
  int discards_left_ = 40;  // rounds of the whole run: a board that always says so must not eat the lease
};

}  // namespace brink::kernels
