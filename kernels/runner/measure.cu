#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

#include "kernels/runner/device_clock.cuh"
#include "kernels/runner/measure.h"

namespace brink::kernels {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

constexpr std::uint64_t probe_ns = 50'000;
constexpr double climb_s = 0.5;          // of load, once, before the first point
constexpr double watch_period_s = 0.05;  // one NVML read costs up to a millisecond
constexpr int discards_max = 5;          // rounds; a machine that is hot for good is measured hot, and marked

__global__ void empty_kernel() {}

/// Reads `count` 16-byte words. The sum is stored in a case that the data never makes.
__global__ void read_all(const uint4* data, std::size_t count, unsigned* sink) {
  unsigned sum = 0;
  const std::size_t stride = static_cast<std::size_t>(gridDim.x) * blockDim.x;
  for (std::size_t i = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    const uint4 v = data[i];
    sum |= v.x | v.y | v.z | v.w;
  }
  if (sum != 0) *sink = sum;  // the buffer is zero
}

/// SM cycles over a stretch of wall time that starts and ends on ticks of the global timer.
__global__ void probe_clock(unsigned long long* out) {
  const std::uint64_t before = global_ns();
  std::uint64_t start = before;
  while (start == before) start = global_ns();
  const long long cycles = sm_clock();
  std::uint64_t stop = start;
  while (stop - start < probe_ns) stop = global_ns();
  out[0] = static_cast<unsigned long long>(sm_clock() - cycles);
  out[1] = stop - start;
}

/// A captured and instantiated graph.
class Graph {
 public:
  Graph(cudaStream_t stream, const std::function<void()>& enqueue) {
    BRINK_CUDA_CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    try {
      enqueue();
    } catch (...) {
      cudaGraph_t broken = nullptr;
      cudaStreamEndCapture(stream, &broken);  // leaves capture mode whatever it returns
      if (broken != nullptr) cudaGraphDestroy(broken);
      cudaGetLastError();
      throw;
    }
    cudaGraph_t graph = nullptr;
    BRINK_CUDA_CHECK(cudaStreamEndCapture(stream, &graph));
    const cudaError_t status = cudaGraphInstantiate(&exec_, graph, 0);
    cudaGraphDestroy(graph);
    BRINK_CUDA_CHECK(status);
    BRINK_CUDA_CHECK(cudaGraphUpload(exec_, stream));
  }
  ~Graph() {
    if (exec_ != nullptr) cudaGraphExecDestroy(exec_);
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  cudaGraphExec_t get() const { return exec_; }

 private:
  cudaGraphExec_t exec_ = nullptr;
};

}  // namespace

const char* method_name(Method method) {
  switch (method) {
    case Method::graph: return "graph";
    case Method::stream: return "stream";
    case Method::cold: return "cold";
    case Method::own: return "own";
  }
  return "";
}

void mark_throttle(Timing& timing, std::uint64_t reasons) {
  timing.throttle_reasons |= reasons;
  timing.throttled = (timing.throttle_reasons & throttle_any) != 0;
}

Meter::Meter(cudaStream_t stream, std::size_t l2_bytes, const Nvml& nvml)
    : stream_(stream),
      nvml_(nvml),
      // Four times the L2: the replacement is not strictly least recently used, and the read must
      // outlast the host's enqueuing of the launch behind it (70 us against some 10).
      flush_(4 * std::max<std::size_t>(l2_bytes, std::size_t{32} << 20) / sizeof(uint4)),
      clock_out_(2),
      sink_(1) {
  BRINK_CUDA_CHECK(cudaMemsetAsync(flush_.get(), 0, flush_.bytes(), stream_));
  for (int i = 0; i < pairs; ++i) {
    BRINK_CUDA_CHECK(cudaEventCreate(&begin_[i]));
    BRINK_CUDA_CHECK(cudaEventCreate(&end_[i]));
  }
  raise_clocks();
  try_event_nodes();
}

Meter::~Meter() {
  for (int i = 0; i < pairs; ++i) {
    cudaEventDestroy(begin_[i]);
    cudaEventDestroy(end_[i]);
  }
}

void Meter::raise_clocks() {
  // An idle GPU sits at a fraction of its clock, and the first points take less than the climb.
  const Clock::time_point start = Clock::now();
  do {
    for (int i = 0; i < 16; ++i) flush_l2(stream_);
    BRINK_CUDA_CHECK(cudaStreamSynchronize(stream_));
  } while (seconds_since(start) < climb_s);
}

void Meter::try_event_nodes() {
  try {
    MeasureOptions options;
    options.batch = 8;
    options.warm_up_s = 0;
    options.stop = {1.0, 2, 2, 0.1};
    const Timing timing = measure(options, [](cudaStream_t s, int) { empty_kernel<<<1, 32, 0, s>>>(); });
    // An empty node takes about a microsecond; anything far off means that the nodes carry no time.
    events_in_graphs_ = timing.seconds.median_s > 50e-9 && timing.seconds.median_s < 1e-3;
  } catch (const CudaError&) {
    events_in_graphs_ = false;
  }
}

void Meter::flush_l2(cudaStream_t stream) {
  read_all<<<1024, 512, 0, stream>>>(flush_.get(), flush_.size(), sink_.get());
  BRINK_CUDA_CHECK(cudaGetLastError());
}

void Meter::enqueue_clock_probe() {
  probe_clock<<<1, 1, 0, stream_>>>(clock_out_.get());
  BRINK_CUDA_CHECK(cudaGetLastError());
}

double Meter::read_clock_probe() {
  const std::vector<unsigned long long> out = clock_out_.to_host(stream_);
  return out[1] == 0 ? 0 : 1e3 * static_cast<double>(out[0]) / static_cast<double>(out[1]);
}

double Meter::probe_clock_mhz() {
  enqueue_clock_probe();
  return read_clock_probe();
}

double Meter::elapsed_s(int pair) const {
  float milliseconds = 0;
  BRINK_CUDA_CHECK(cudaEventElapsedTime(&milliseconds, begin_[pair], end_[pair]));
  return static_cast<double>(milliseconds) * 1e-3;
}

Timing Meter::measure(const MeasureOptions& options, const Launch& launch) {
  Timing timing;
  timing.method = options.method;
  launch(stream_, 0);  // loads code and touches memory, outside any capture
  BRINK_CUDA_CHECK(cudaGetLastError());
  BRINK_CUDA_CHECK(cudaStreamSynchronize(stream_));
  switch (options.method) {
    case Method::graph: measure_graph(options, launch, timing); break;
    case Method::stream: measure_stream(options, launch, timing); break;
    case Method::cold: measure_cold(options, launch, timing); break;
    case Method::own: throw std::invalid_argument("Meter::measure: Method::own is not a way to measure");
  }
  return timing;
}

void Meter::take_samples(const MeasureOptions& options, Timing& timing,
                         const std::function<void(std::vector<double>&)>& round, const std::function<void()>& load) {
  const Clock::time_point start = Clock::now();
  Clock::time_point watched = start;
  std::vector<double> samples;
  std::size_t trusted = 0;  // samples taken before the last look at the throttle reasons
  std::uint64_t reasons = nvml_.throttle_reasons();
  int discards = 0;
  bool done = false;
  while (!done) {
    round(samples);
    timing.seconds = summarize(samples);
    done = settled(timing.seconds, options.stop, seconds_since(start));
    if (!done && seconds_since(watched) < watch_period_s) continue;
    watched = Clock::now();
    const std::uint64_t now = nvml_.throttle_reasons();
    if ((now & throttle_discard) != 0 && discards < discards_max && discards_left_ > 0) {
      ++discards;
      --discards_left_;
      timing.discarded += static_cast<int>(samples.size() - trusted);
      samples.resize(trusted);
      done = false;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      continue;
    }
    reasons |= now;
    trusted = samples.size();
  }
  mark_throttle(timing, reasons);
  load();
  timing.clock_mhz = probe_clock_mhz();
}

double Meter::graph_sample(cudaGraphExec_t graph) {
  if (!events_in_graphs_) BRINK_CUDA_CHECK(cudaEventRecord(begin_[0], stream_));
  BRINK_CUDA_CHECK(cudaGraphLaunch(graph, stream_));
  if (!events_in_graphs_) BRINK_CUDA_CHECK(cudaEventRecord(end_[0], stream_));
  BRINK_CUDA_CHECK(cudaStreamSynchronize(stream_));
  return elapsed_s(0);
}

void Meter::measure_graph(const MeasureOptions& options, const Launch& launch, Timing& timing) {
  const auto capture = [&](int batch) {
    return std::make_unique<Graph>(stream_, [&, batch] {
      if (events_in_graphs_) BRINK_CUDA_CHECK(cudaEventRecordWithFlags(begin_[0], stream_, cudaEventRecordExternal));
      for (int i = 0; i < batch; ++i) launch(stream_, i);
      BRINK_CUDA_CHECK(cudaGetLastError());
      if (events_in_graphs_) BRINK_CUDA_CHECK(cudaEventRecordWithFlags(end_[0], stream_, cudaEventRecordExternal));
    });
  };
  std::unique_ptr<Graph> graph;
  if (options.batch > 0) {
    timing.batch = options.batch;
  } else {
    constexpr int trial = 4;
    graph = capture(trial);
    graph_sample(graph->get());
    timing.batch = batch_for(graph_sample(graph->get()) / trial, options.sample_min_s, options.batch_max);
  }
  graph = capture(timing.batch);
  const Clock::time_point start = Clock::now();
  do {
    graph_sample(graph->get());
  } while (seconds_since(start) < options.warm_up_s);
  take_samples(
      options, timing,
      [&](std::vector<double>& samples) { samples.push_back(graph_sample(graph->get()) / timing.batch); },
      [&] { BRINK_CUDA_CHECK(cudaGraphLaunch(graph->get(), stream_)); });
}

double Meter::stream_sample(int batch, const Launch& launch) {
  // The flush gives the host a head start, so that the first launches are not late.
  flush_l2(stream_);
  launch(stream_, 0);  // and this one undoes what the flush did to the caches
  BRINK_CUDA_CHECK(cudaEventRecord(begin_[0], stream_));
  for (int i = 0; i < batch; ++i) launch(stream_, i);
  BRINK_CUDA_CHECK(cudaGetLastError());
  BRINK_CUDA_CHECK(cudaEventRecord(end_[0], stream_));
  BRINK_CUDA_CHECK(cudaStreamSynchronize(stream_));
  return elapsed_s(0);
}

void Meter::measure_stream(const MeasureOptions& options, const Launch& launch, Timing& timing) {
  timing.batch = options.batch > 0 ? options.batch
                                   : batch_for(stream_sample(2, launch) / 2, options.sample_min_s, options.batch_max);
  const Clock::time_point start = Clock::now();
  do {
    stream_sample(timing.batch, launch);
  } while (seconds_since(start) < options.warm_up_s);
  take_samples(
      options, timing,
      [&](std::vector<double>& samples) { samples.push_back(stream_sample(timing.batch, launch) / timing.batch); },
      [&] { launch(stream_, 0); });
}

void Meter::measure_cold(const MeasureOptions& options, const Launch& launch, Timing& timing) {
  timing.batch = 1;
  take_samples(
      options, timing,
      [&](std::vector<double>& samples) {
        flush_l2(stream_);  // the queue must not run dry before the first sample
        for (int i = 0; i < pairs; ++i) {
          flush_l2(stream_);
          BRINK_CUDA_CHECK(cudaEventRecord(begin_[i], stream_));
          launch(stream_, i);
          BRINK_CUDA_CHECK(cudaEventRecord(end_[i], stream_));
        }
        BRINK_CUDA_CHECK(cudaGetLastError());
        BRINK_CUDA_CHECK(cudaStreamSynchronize(stream_));
        for (int i = 0; i < pairs; ++i) samples.push_back(elapsed_s(i));
      },
      [&] { launch(stream_, 0); });
}

}  // namespace brink::kernels
