#pragma once

#include <cuda_runtime.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "kernels/runner/cuda_check.h"
#include "kernels/runner/device_memory.h"
#include "kernels/runner/json.h"
#include "kernels/runner/ledger.h"
#include "kernels/runner/nvml.h"
#include "kernels/runner/timing.h"

namespace brink::kernels {

/// What the device says of itself.
struct DeviceFacts {
  int device = 0;
  std::string name;
  int sm_count = 0;
  int major = 0;
  int minor = 0;
  std::int64_t l2_bytes = 0;
  std::int64_t memory_bytes = 0;
  int clock_max_mhz = 0;
  int memory_clock_max_mhz = 0;
  int copy_engines = 0;
};

/// What one point came to. Fill what applies.
struct PointResult {
  Timing timing;
  bool timed = false;     ///< set by Session::measure's caller through time()
  bool verified = false;  ///< the output was compared with the reference (written as null otherwise)
  JsonObject metrics;

  void time(const Timing& t) {
    timing = t;
    timed = true;
  }
};

/// One run of the program on one GPU: what every group works with.
class Session {
 public:
  using Clock = std::chrono::steady_clock;

  /// `heartbeat(text)` is called when a point starts, so that a watcher knows which one hung.
  Session(int device, Ledger& ledger, double budget_s, std::function<void(const std::string&)> heartbeat);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const DeviceFacts& device() const { return facts_; }
  cudaStream_t stream() const { return stream_; }
  const Nvml& nvml() const { return *nvml_; }
  /// Free device memory, less a reserve for the driver.
  std::size_t free_bytes() const;

  /// Measures one point, unless the file has it or time is up. The key is params.key() and must
  /// say everything that tells two points of the group apart. An exception from `body` becomes a
  /// "failed" line and the run goes on, unless the device itself has failed.
  void point(const JsonObject& params, const std::function<void(PointResult&)>& body);
  /// Writes why a point is not measured on this machine.
  void skip(const JsonObject& params, const std::string& reason);
  /// Whether point(params, ...) would run: guards expensive preparations.
  bool wanted(const JsonObject& params) const;
  bool out_of_time() const;

  /// Times `launch`; warms up, repeats and watches clocks as `options` say.
  Timing measure(const MeasureOptions& options, const Launch& launch);
  /// Enqueues the read that empties the L2 (twice its size and more).
  void flush_l2(cudaStream_t stream);
  /// SM clock over about 50 us of the stream's time, enqueued after what it holds.
  double probe_clock_mhz();
  void synchronize() const { BRINK_CUDA_CHECK(cudaStreamSynchronize(stream_)); }

  // The rest is for main.
  void start_group(const std::string& name, double nominal_s);
  JsonObject header() const;
  int points_measured() const { return measured_; }
  int points_failed() const { return failed_; }
  int points_left() const { return left_; }

 private:
  struct Device;  // flush buffer, probe buffers, events

  double elapsed_s() const;
  void require_healthy();
  Timing measure_graph(const MeasureOptions& options, const Launch& launch);
  Timing measure_stream(const MeasureOptions& options, const Launch& launch);
  Timing measure_cold(const MeasureOptions& options, const Launch& launch);
  double time_once(const MeasureOptions& options, const Launch& launch);
  void sample(const MeasureOptions& options, Timing& timing, const std::function<double()>& one);
  bool watch_clocks(Timing& timing);
  void progress(const std::string& what);

  DeviceFacts facts_;
  Ledger& ledger_;
  std::function<void(const std::string&)> heartbeat_;
  std::unique_ptr<Nvml> nvml_;
  std::unique_ptr<Device> on_device_;
  cudaStream_t stream_ = nullptr;
  Clock::time_point start_;
  double budget_s_;
  std::string group_;
  Clock::time_point group_deadline_;
  int measured_ = 0;
  int failed_ = 0;
  int left_ = 0;
};

}  // namespace brink::kernels
