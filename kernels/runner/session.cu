#include <cmath>
#include <cstdio>

#include "kernels/runner/measure.h"
#include "kernels/runner/session.h"
#include "kernels/runner/supervisor.h"
#include "kernels/runner/verify.h"

namespace brink::kernels {
namespace {

constexpr std::size_t memory_reserve = std::size_t{1} << 30;  // for the driver, modules loaded late and graphs

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  BRINK_CUDA_CHECK(cudaDeviceGetAttribute(&value, which, device));
  return value;
}

DeviceFacts facts_of(int device) {
  DeviceFacts facts;
  cudaDeviceProp properties{};
  BRINK_CUDA_CHECK(cudaGetDeviceProperties(&properties, device));
  facts.device = device;
  facts.name = properties.name;
  facts.sm_count = properties.multiProcessorCount;
  facts.major = properties.major;
  facts.minor = properties.minor;
  facts.l2_bytes = properties.l2CacheSize;
  facts.memory_bytes = static_cast<std::int64_t>(properties.totalGlobalMem);
  facts.clock_max_mhz = attribute(cudaDevAttrClockRate, device) / 1000;  // kHz
  facts.memory_clock_max_mhz = attribute(cudaDevAttrMemoryClockRate, device) / 1000;
  facts.copy_engines = attribute(cudaDevAttrAsyncEngineCount, device);
  return facts;
}

std::string pci_bus_id_of(int device) {
  char id[32] = {};
  BRINK_CUDA_CHECK(cudaDeviceGetPCIBusId(id, static_cast<int>(sizeof id), device));
  return id;
}

JsonObject point_line(const std::string& group, const std::string& key, const JsonObject& params,
                      const PointResult& result) {
  JsonObject line;
  line.set("kind", "point").set("group", group).set("key", key).set("params", params);
  const Timing& t = result.timing;
  if (result.timed) {
    line.set("median_s", t.seconds.median_s).set("min_s", t.seconds.min_s).set("p90_s", t.seconds.p90_s);
    line.set("repeats", t.seconds.repeats).set("noise", t.seconds.noise);
    line.set("batch", t.batch).set("method", method_name(t.method));
    line.set("clock_mhz", t.clock_mhz).set("throttled", t.throttled);
    if (t.throttled) line.set("throttle_reasons", throttle_names(t.throttle_reasons));
    if (t.discarded > 0) line.set("discarded", t.discarded);
  } else {
    for (const char* name : {"median_s", "min_s", "p90_s", "repeats", "noise", "clock_mhz", "throttled"}) {
      line.set_null(name);
    }
  }
  if (result.verified) {
    line.set("verified", true);
  } else {
    line.set_null("verified");
  }
  return line.set("metrics", result.metrics);
}

std::string point_note(const PointResult& result) {
  if (!result.timed) return "done";
  char text[96];
  std::snprintf(text, sizeof text, "%.3f us, noise %.2f %%, %d samples%s", result.timing.seconds.median_s * 1e6,
                result.timing.seconds.noise * 100, result.timing.seconds.repeats,
                result.timing.throttled ? ", throttled" : "");
  return text;
}

double seconds_between(Session::Clock::time_point from, Session::Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

Session::Session(int device, Ledger& ledger, double budget_s, std::function<void(const std::string&)> heartbeat)
    : ledger_(ledger), heartbeat_(std::move(heartbeat)), start_(Clock::now()), budget_s_(budget_s) {
  BRINK_CUDA_CHECK(cudaSetDevice(device));
  facts_ = facts_of(device);
  nvml_ = std::make_unique<Nvml>(pci_bus_id_of(device));
  BRINK_CUDA_CHECK(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
  meter_ = std::make_unique<Meter>(stream_, static_cast<std::size_t>(facts_.l2_bytes), *nvml_);
  group_deadline_ = start_;
}

Session::~Session() {
  meter_.reset();
  cudaStreamDestroy(stream_);
}

std::size_t Session::free_bytes() const {
  std::size_t free_now = 0;
  std::size_t total = 0;
  BRINK_CUDA_CHECK(cudaMemGetInfo(&free_now, &total));
  return free_now > memory_reserve ? free_now - memory_reserve : 0;
}

double Session::elapsed_s() const { return seconds_between(start_, Clock::now()); }

bool Session::out_of_time() const { return elapsed_s() >= budget_s_ || Clock::now() >= group_deadline_; }

bool Session::wanted(const JsonObject& params) const {
  return !ledger_.holds(group_, params.key()) && !out_of_time();
}

void Session::start_group(const std::string& name, double seconds_max) {
  group_ = name;
  heartbeat_(heartbeat_begin(group_, preparation_key));
  const std::chrono::duration<double> allowed(seconds_max);
  group_deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(allowed);
}

void Session::point(const JsonObject& params, const std::function<void(PointResult&)>& body) {
  const std::string key = params.key();
  if (ledger_.holds(group_, key)) return;
  if (out_of_time()) {
    ++left_;
    return;
  }
  heartbeat_(heartbeat_begin(group_, key));
  JsonObject line;
  std::string note;
  const auto failed = [&](const char* kind, const std::string& reason) {
    line = JsonObject();
    line.set("kind", kind).set("group", group_).set("key", key).set("params", params).set("reason", reason);
    note = std::string(kind) + ": " + reason;
  };
  try {
    PointResult result;
    body(result);
    BRINK_CUDA_CHECK(cudaDeviceSynchronize());  // a late fault belongs to the point that caused it
    line = point_line(group_, key, params, result);
    note = point_note(result);
    ++measured_;
  } catch (const CudaError& error) {
    failed(error.out_of_memory() ? "skipped" : "failed", error.what());
    if (!error.out_of_memory()) ++failed_;
  } catch (const std::exception& error) {
    failed("failed", error.what());
    ++failed_;
  }
  finish_point(key, line, note);
}

void Session::skip(const JsonObject& params, const std::string& reason) {
  const std::string key = params.key();
  if (ledger_.holds(group_, key)) return;
  JsonObject line;
  line.set("kind", "skipped").set("group", group_).set("key", key).set("params", params).set("reason", reason);
  finish_point(key, line, "skipped: " + reason);
}

void Session::finish_point(const std::string& key, const JsonObject& line, const std::string& note) {
  ledger_.append(line.text());
  heartbeat_(heartbeat_end());  // it is in the file: a worker that stops here broke nothing more
  std::fprintf(stderr, "[%5.1f s, %5.1f left] %s/%s  %s\n", elapsed_s(), budget_s_ - elapsed_s(), group_.c_str(),
               key.c_str(), note.c_str());
  require_healthy(group_ + "/" + key);
  heartbeat_(heartbeat_begin(group_, preparation_key));
}

void Session::require_healthy(const std::string& after) {
  // An illegal access or a trap poisons the context: every later call returns it again.
  const cudaError_t status = cudaDeviceSynchronize();
  if (status != cudaSuccess) throw DeviceFailed(after + ": " + cudaGetErrorString(status));
  cudaGetLastError();
}

void Session::end_group() { heartbeat_(heartbeat_end()); }

Timing Session::measure(const MeasureOptions& options, const Launch& launch) {
  return meter_->measure(options, launch);
}
void Session::note_throttle(Timing& timing) const { mark_throttle(timing, nvml_->throttle_reasons()); }
void Session::flush_l2(cudaStream_t stream) { meter_->flush_l2(stream); }
double Session::probe_clock_mhz() { return meter_->probe_clock_mhz(); }

JsonObject Session::header() const {
  int runtime = 0;
  int driver = 0;
  BRINK_CUDA_CHECK(cudaRuntimeGetVersion(&runtime));
  BRINK_CUDA_CHECK(cudaDriverGetVersion(&driver));
  JsonObject h;
  h.set("kind", "header").set("schema_version", 1).set("gpu", facts_.name);
  h.set("sm", facts_.major * 10 + facts_.minor).set("sm_count", facts_.sm_count);
  h.set("l2_bytes", facts_.l2_bytes).set("memory_bytes", facts_.memory_bytes);
  h.set("clock_max_mhz", facts_.clock_max_mhz).set("memory_clock_max_mhz", facts_.memory_clock_max_mhz);
  h.set("copy_engines", facts_.copy_engines);
  h.set("driver", nvml_->driver_version()).set("cuda_driver", driver).set("cuda_runtime", runtime);
  h.set("cublaslt", static_cast<std::int64_t>(cublasLtGetVersion()));
  h.set("events_in_graphs", meter_->events_in_graphs());
  if (!nvml_->available()) return h.set("nvml_missing", nvml_->missing());
  if (const auto limit = nvml_->power_limit_w()) h.set("power_limit_w", *limit);
  if (const auto clock = nvml_->sm_clock_mhz()) h.set("clock_at_start_mhz", static_cast<std::int64_t>(*clock));
  if (const auto heat = nvml_->temperature_c()) h.set("temperature_c", static_cast<std::int64_t>(*heat));
  return h;
}

}  // namespace brink::kernels
