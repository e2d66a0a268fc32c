#include "kernels/launch/launch.h"

#include <chrono>

#include "kernels/runner/session.h"
#include "kernels/runner/verify.h"

namespace brink::kernels {
namespace {

using Clock = std::chrono::steady_clock;

struct Padding {
  unsigned char bytes[256];  // what a kernel of an engine passes: pointers, strides, sizes
};

__global__ void count_up(unsigned* counter) {
  if (blockIdx.x == 0 && threadIdx.x == 0) *counter += 1;
}
__global__ void count_up_padded(unsigned* counter, Padding padding) {
  if (blockIdx.x == 0 && threadIdx.x == 0) *counter += 1 + (padding.bytes[200] == 7);
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Host seconds of one `work`, again and again until the rule is met; `settle` empties the queue
/// between samples, outside the clock.
Timing host_timing(int batch, const std::function<void()>& work, const std::function<void()>& settle) {
  Timing timing;
  timing.method = Method::own;
  timing.batch = batch;
  const StopRule rule{0.005, 21, 200, 0.3};
  std::vector<double> samples;
  settle();
  work();
  settle();
  const Clock::time_point start = Clock::now();
  do {
    const Clock::time_point begin = Clock::now();
    work();
    samples.push_back(seconds_since(begin) / batch);
    settle();
    timing.seconds = summarize(samples);
  } while (!settled(timing.seconds, rule, seconds_since(start)));
  return timing;
}

void kernel_points(Session& session, unsigned* counter) {
  const cudaStream_t stream = session.stream();
  const auto settle = [&] { session.synchronize(); };
  for (const int blocks : {1, session.device().sm_count}) {
    for (const int bytes : {8, 264}) {
      const auto launch = [=](cudaStream_t s, int) {
        if (bytes == 8) {
          count_up<<<static_cast<unsigned>(blocks), 128, 0, s>>>(counter);
        } else {
          count_up_padded<<<static_cast<unsigned>(blocks), 128, 0, s>>>(counter, Padding{});
        }
      };
      // Well under the queue's depth of some thousand launches, so that the host never waits.
      constexpr int burst = 256;
      JsonObject host = JsonObject().set("op", "launch_host").set("blocks", blocks).set("argument_bytes", bytes);
      session.point(host, [&](PointResult& r) {
        r.time(host_timing(burst, [&] { for (int i = 0; i < burst; ++i) launch(stream, i); }, settle));
        BRINK_CUDA_CHECK(cudaGetLastError());
      });
      JsonObject wait = JsonObject().set("op", "launch_and_wait").set("blocks", blocks).set("argument_bytes", bytes);
      session.point(wait, [&](PointResult& r) {
        r.time(host_timing(1, [&] { launch(stream, 0); session.synchronize(); }, settle));
      });
      JsonObject device = JsonObject().set("op", "stream_device").set("blocks", blocks).set("argument_bytes", bytes);
      session.point(device, [&](PointResult& r) {
        MeasureOptions options;
        options.method = Method::stream;
        options.batch = burst;
        r.time(session.measure(options, launch));
      });
    }
  }
}

/// What the event method of the cold timings adds: an empty kernel between two events.
void event_points(Session& session, unsigned* counter) {
  for (const int blocks : {1, session.device().sm_count}) {
    session.point(JsonObject().set("op", "event_pair_floor").set("blocks", blocks), [&](PointResult& r) {
      MeasureOptions options;
      options.method = Method::cold;
      r.time(session.measure(options, [&](cudaStream_t s, int) {
        count_up<<<static_cast<unsigned>(blocks), 128, 0, s>>>(counter);
      }));
    });
  }
  session.point(JsonObject().set("op", "event_pair_empty"), [&](PointResult& r) {
    MeasureOptions options;
    options.method = Method::cold;
    r.time(session.measure(options, [](cudaStream_t, int) {}));
  });
}

/// A chain of `nodes` kernels as one executable graph.
class ChainGraph {
 public:
  ChainGraph(cudaStream_t stream, int nodes, unsigned* counter) {
    BRINK_CUDA_CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    for (int i = 0; i < nodes; ++i) count_up<<<1, 128, 0, stream>>>(counter);
    BRINK_CUDA_CHECK(cudaStreamEndCapture(stream, &graph_));
    const Clock::time_point begin = Clock::now();
    BRINK_CUDA_CHECK(cudaGraphInstantiate(&exec_, graph_, 0));
    instantiate_s_ = seconds_since(begin);
  }
  ~ChainGraph() {
    if (exec_ != nullptr) cudaGraphExecDestroy(exec_);
    if (graph_ != nullptr) cudaGraphDestroy(graph_);
  }
  ChainGraph(const ChainGraph&) = delete;
  ChainGraph& operator=(const ChainGraph&) = delete;
  cudaGraphExec_t get() const { return exec_; }
  double instantiate_s() const { return instantiate_s_; }

 private:
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t exec_ = nullptr;
  double instantiate_s_ = 0;
};

void graph_points(Session& session, const DeviceArray<unsigned>& counter) {
  const cudaStream_t stream = session.stream();
  for (const int nodes : {1, 8, 32, 128, 512, 2048}) {
    const auto settle = [&] { session.synchronize(); };
    session.point(JsonObject().set("op", "graph_launch_host").set("nodes", nodes), [&](PointResult& r) {
      const ChainGraph graph(stream, nodes, counter.get());
      r.time(host_timing(1, [&] { BRINK_CUDA_CHECK(cudaGraphLaunch(graph.get(), stream)); }, settle));
      r.metrics.set("instantiate_s", graph.instantiate_s());
    });
    session.point(JsonObject().set("op", "graph_launch_and_wait").set("nodes", nodes), [&](PointResult& r) {
      const ChainGraph graph(stream, nodes, counter.get());
      BRINK_CUDA_CHECK(cudaMemsetAsync(counter.get(), 0, sizeof(unsigned), stream));
      BRINK_CUDA_CHECK(cudaGraphLaunch(graph.get(), stream));
      require_equal("kernels run by one graph launch", counter.to_host(stream).front(),
                    static_cast<unsigned long long>(nodes));
      r.verified = true;
      const auto launch_and_wait = [&] {
        BRINK_CUDA_CHECK(cudaGraphLaunch(graph.get(), stream));
        session.synchronize();
      };
      r.time(host_timing(1, launch_and_wait, settle));
    });
  }
  for (const int blocks : {1, session.device().sm_count}) {
    session.point(JsonObject().set("op", "graph_node_device").set("blocks", blocks), [&](PointResult& r) {
      MeasureOptions options;
      options.batch = 512;
      r.time(session.measure(options, [&](cudaStream_t s, int) {
        count_up<<<static_cast<unsigned>(blocks), 128, 0, s>>>(counter.get());
      }));
    });
  }
}

}  // namespace

void run_launch(Session& session) {
  const DeviceArray<unsigned> counter(1);
  BRINK_CUDA_CHECK(cudaMemsetAsync(counter.get(), 0, counter.bytes(), session.stream()));
  // Loads the code before any capture: a resumed run may start with the graphs.
  count_up<<<1, 128, 0, session.stream()>>>(counter.get());
  BRINK_CUDA_CHECK(cudaGetLastError());
  session.synchronize();
  kernel_points(session, counter.get());
  event_points(session, counter.get());
  graph_points(session, counter);
}

}  // namespace brink::kernels
