#pragma once

#include <cuda_runtime.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "kernels/runner/cuda_check.h"
#include "kernels/runner/device_memory.h"
#include "kernels/runner/json.h"
#include "kernels/runner/ledger.h"
#include "kernels/runner/nvml.h"
#include "kernels/runner/timing.h"

namespace brink::kernels {

class Meter;

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

/// The device no longer answers as it should: this process cannot go on.
class DeviceFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What one point came to. Fill what applies.
struct PointResult {
  Timing timing;
  bool timed = false;     ///< set by time(); the times of a point without are written as null
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

  /// `heartbeat(text)` is called when a point starts and ends (see supervisor.h), so that a watcher
  /// knows which one hung or broke the process.
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
  /// Says that the program is at work: call it during preparations of more than 20 s.
  void alive() { heartbeat_("."); }

  /// Times `launch`; warms up, repeats and watches clocks as `options` say.
  Timing measure(const MeasureOptions& options, const Launch& launch);
  /// Adds the throttle reasons of this moment: for points that time themselves.
  void note_throttle(Timing& timing) const;
  /// Enqueues the read that empties the L2 (twice its size and more).
  void flush_l2(cudaStream_t stream);
  /// SM clock over about 50 us of the stream's time, enqueued after what it holds.
  double probe_clock_mhz();
  void synchronize() const { BRINK_CUDA_CHECK(cudaStreamSynchronize(stream_)); }

  // The rest is for main.
  void start_group(const std::string& name, double seconds_max);
  void end_group();
  JsonObject header() const;
  int points_measured() const { return measured_; }
  int points_failed() const { return failed_; }
  int points_left() const { return left_; }

 private:
  double elapsed_s() const;
  void finish_point(const std::string& key, const JsonObject& line, const std::string& note);
  void require_healthy(const std::string& after);

  DeviceFacts facts_;
  Ledger& ledger_;
  std::function<void(const std::string&)> heartbeat_;
  std::unique_ptr<Nvml> nvml_;
  std::unique_ptr<Meter> meter_;
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
