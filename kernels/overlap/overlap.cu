#include "kernels/overlap/overlap.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "kernels/overlap/sustained.h"
#include "kernels/overlap/traffic.h"
#include "kernels/runner/session.h"

namespace brink::kernels {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t MiB = std::uint64_t{1} << 20;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double elapsed_s(cudaEvent_t begin, cudaEvent_t end) {
  float milliseconds = 0;
  BRINK_CUDA_CHECK(cudaEventElapsedTime(&milliseconds, begin, end));
  return static_cast<double>(milliseconds) * 1e-3;
}

/// What one side takes alone and beside the other.
struct Sample {
  double step_s;  // per step
  double copy_s;  // per round of blocks
  bool covered;   // the measured side ran inside the other one's time
};

/// The copies of one measurement: `count` rounds of blocks of `block` bytes each way asked for.
struct Copies {
  int count;
  bool out;
  bool in;
  std::uint64_t block;
};

/// `steps` steps and the copies at once; a count of 0 leaves a side out. The outer side starts
/// first and ends last. Everything is enqueued without a pause: copies of small blocks finish
/// nearly as fast as the host can enqueue them.
Sample run_together(Session& session, const Traffic& t, int steps, const Copies& copies, bool step_inside) {
  const cudaStream_t compute = session.stream();
  const cudaStream_t first = t.first_copy_stream(copies.out);
  const cudaStream_t other = t.other_copy_stream(copies.out);
  const bool both = copies.out && copies.in;
  const auto enqueue_steps = [&] {
    if (steps == 0) return;
    BRINK_CUDA_CHECK(cudaEventRecord(t.step_begin, compute));
    for (int i = 0; i < steps; ++i) t.enqueue_step(compute);
    BRINK_CUDA_CHECK(cudaEventRecord(t.step_end, compute));
  };
  if (!step_inside) enqueue_steps();
  if (copies.count > 0) {
    BRINK_CUDA_CHECK(cudaEventRecord(t.copy_begin, first));
    if (both) BRINK_CUDA_CHECK(cudaStreamWaitEvent(other, t.copy_begin, 0));
  }
  constexpr int head_start = 8;
  for (int i = 0; i < copies.count; ++i) {
    if (i == head_start && step_inside) enqueue_steps();
    t.enqueue_copy(copies.out, copies.in, copies.block, static_cast<std::uint64_t>(i));
  }
  if (copies.count > 0) {
    if (both) {
      BRINK_CUDA_CHECK(cudaEventRecord(t.joined, other));
      BRINK_CUDA_CHECK(cudaStreamWaitEvent(first, t.joined, 0));
    }
    BRINK_CUDA_CHECK(cudaEventRecord(t.copy_end, first));
  }
  if (step_inside && copies.count <= head_start) enqueue_steps();
  BRINK_CUDA_CHECK(cudaDeviceSynchronize());
  Sample sample{0, 0, true};
  if (steps > 0) sample.step_s = elapsed_s(t.step_begin, t.step_end) / steps;
  if (copies.count > 0) sample.copy_s = elapsed_s(t.copy_begin, t.copy_end) / copies.count;
  if (steps > 0 && copies.count > 0) {
    const double lead = elapsed_s(t.copy_begin, t.step_begin);
    const double trail = elapsed_s(t.step_end, t.copy_end);
    sample.covered = step_inside ? lead >= 0 && trail >= 0 : lead <= 0 && trail <= 0;
  }
  return sample;
}

/// Samples `one` until the rule is met.
Timing repeat(Session& session, const std::function<double()>& one) {
  const StopRule rule{0.005, 9, 40, 0.6};
  Timing timing;
  timing.method = Method::own;
  std::vector<double> samples;
  one();
  const Clock::time_point start = Clock::now();
  do {
    samples.push_back(one());
    timing.seconds = summarize(samples);
  } while (!settled(timing.seconds, rule, seconds_since(start)));
  timing.clock_mhz = session.probe_clock_mhz();
  session.note_throttle(timing);
  return timing;
}

void copy_point(Session& session, const Traffic& t, const char* direction, std::uint64_t block) {
  const bool out = std::string(direction) != "h2d";
  const bool in = std::string(direction) != "d2h";
  const JsonObject params = JsonObject().set("op", "decode_beside_copy").set("copy", direction).set("block_bytes", block);
  session.point(params, [&](PointResult& r) {
    t.verify_step();
    r.verified = true;
    const int window = static_cast<int>(Traffic::staging_bytes / block);  // rounds that move 256 MiB a direction
    constexpr int steps_inside = 4;
    const Copies inside{window, out, in, block};
    const Copies none{0, out, in, block};
    const double step_s =
        repeat(session, [&] { return run_together(session, t, steps_inside, none, true).step_s; }).seconds.median_s;
    const double copy_s =
        repeat(session, [&] { return run_together(session, t, 0, inside, true).copy_s; }).seconds.median_s;
    // The outer side lasts four times the inner one and 2 ms more: neither slows the other by so much.
    const Copies outside{static_cast<int>(std::clamp((4 * steps_inside * step_s + 2e-3) / copy_s, 9.0, 2000.0)), out,
                         in, block};
    const int steps_outside = static_cast<int>(std::clamp((4 * window * copy_s + 2e-3) / step_s, 4.0, 400.0));
    bool step_covered = true;
    bool copy_covered = true;
    r.time(repeat(session, [&] {
      const Sample s = run_together(session, t, steps_inside, outside, true);
      step_covered = step_covered && s.covered;
      return s.step_s;
    }));
    const Timing copy_beside = repeat(session, [&] {
      const Sample s = run_together(session, t, steps_outside, inside, false);
      copy_covered = copy_covered && s.covered;
      return s.copy_s;
    });
    const double bytes = static_cast<double>(block) * (out && in ? 2 : 1);
    const double beside_s = r.timing.seconds.median_s;
    r.metrics.set("step_bytes", Traffic::step_bytes).set("step_alone_s", step_s).set("step_beside_copy_s", beside_s);
    r.metrics.set("step_slowdown", beside_s / step_s).set("step_covered", step_covered);
    r.metrics.set("copy_alone_gb_per_s", bytes / copy_s * 1e-9);
    r.metrics.set("copy_beside_step_gb_per_s", bytes / copy_beside.seconds.median_s * 1e-9);
    r.metrics.set("copy_slowdown", copy_beside.seconds.median_s / copy_s).set("copy_covered", copy_covered);
  });
}

}  // namespace

void run_overlap(Session& session) {
  const Traffic traffic(session);
  for (const char* direction : {"d2h", "h2d", "both"}) {
    for (const std::uint64_t block : {2 * MiB, 16 * MiB}) copy_point(session, traffic, direction, block);
  }
  copy_point(session, traffic, "d2h", MiB / 4);
  run_sustained(session, traffic);
}

}  // namespace brink::kernels
