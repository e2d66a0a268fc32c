#include "kernels/overlap/overlap.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <thread>

#include "kernels/hbm/gather.h"
#include "kernels/hbm/reference.h"
#include "kernels/overlap/matmul.h"
#include "kernels/runner/hash.h"
#include "kernels/runner/session.h"
#include "kernels/runner/verify.h"

namespace brink::kernels {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t MiB = std::uint64_t{1} << 20;
constexpr std::uint64_t GiB = std::uint64_t{1} << 30;
constexpr std::uint64_t seed = 71;
constexpr std::uint64_t staging_bytes = 256 * MiB;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Memory traffic of decoding: scattered 32 KiB pages read once a step, and KV blocks that a copy
/// engine moves between the device and page-locked host memory meanwhile.
class Traffic {
 public:
  explicit Traffic(Session& session)
      : session_(session),
        pool_(pool_bytes(session) / 4),
        table_(step_bytes / page),
        out_(step_bytes / unit_bytes),
        moved_(staging_bytes),
        host_out_(staging_bytes),
        host_in_(staging_bytes) {
    fill_u32(pool_.get(), pool_.size(), seed, session.stream());
    order_ = gather_table(step_bytes / page, pool_.bytes() / page, seed);
    table_.from_host(order_);
    std::fill_n(host_in_.get(), staging_bytes, static_cast<unsigned char>(0x5A));
    for (cudaStream_t* stream : {&copy_out_, &copy_in_}) {
      BRINK_CUDA_CHECK(cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking));
    }
    for (cudaEvent_t* event : {&step_begin, &step_end, &copy_begin, &copy_end, &joined}) {
      BRINK_CUDA_CHECK(cudaEventCreate(event));
    }
    session.synchronize();
  }
  ~Traffic() {
    cudaStreamDestroy(copy_out_);
    cudaStreamDestroy(copy_in_);
    for (cudaEvent_t event : {step_begin, step_end, copy_begin, copy_end, joined}) cudaEventDestroy(event);
  }
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  void enqueue_step(cudaStream_t stream) const {
    enqueue_gather(pool_.get(), table_.get(), page_shift, step_bytes, out_.get(), stream);
  }

  void verify_step() const {
    out_.poison(session_.stream());
    enqueue_step(session_.stream());
    const std::vector<std::uint32_t> got = out_.to_host(session_.stream());
    for (std::uint64_t i = 0; i < 100; ++i) {
      const std::uint64_t warp = i == 0 ? got.size() - 1 : hash_u32(72, i) % got.size();
      require_equal("XOR of warp " + std::to_string(warp), got[warp],
                    xor_of_gather(seed, order_, page, warp, unit_bytes));
    }
  }

  /// One block of every direction asked for, `block` bytes each; both streams have their own engine.
  void enqueue_copy(bool out, bool in, std::uint64_t block, std::uint64_t index) const {
    const std::uint64_t at = index * block % staging_bytes;
    const auto* kv = reinterpret_cast<const unsigned char*>(pool_.get());
    if (out) {
      BRINK_CUDA_CHECK(cudaMemcpyAsync(host_out_.get() + at, kv + index * block % pool_.bytes(), block,
                                       cudaMemcpyDeviceToHost, copy_out_));
    }
    if (in) {
      BRINK_CUDA_CHECK(
          cudaMemcpyAsync(moved_.get() + at, host_in_.get() + at, block, cudaMemcpyHostToDevice, copy_in_));
    }
  }

  cudaStream_t first_copy_stream(bool out) const { return out ? copy_out_ : copy_in_; }
  cudaStream_t other_copy_stream(bool out) const { return out ? copy_in_ : copy_out_; }

  static constexpr int page_shift = 15;
  static constexpr std::uint64_t page = std::uint64_t{1} << page_shift;
  static constexpr std::uint64_t step_bytes = 2 * GiB;

  cudaEvent_t step_begin = nullptr, step_end = nullptr, copy_begin = nullptr, copy_end = nullptr, joined = nullptr;

 private:
  static std::uint64_t pool_bytes(const Session& session) {
    std::uint64_t bytes = 16 * GiB;
    while (bytes > 2 * GiB && 2 * bytes > session.free_bytes()) bytes /= 2;
    return bytes;
  }

  Session& session_;
  DeviceArray<std::uint32_t> pool_;
  DeviceArray<std::uint32_t> table_;
  DeviceArray<std::uint32_t> out_;
  DeviceArray<unsigned char> moved_;
  PinnedBytes host_out_, host_in_;
  std::vector<std::uint32_t> order_;
  cudaStream_t copy_out_ = nullptr;
  cudaStream_t copy_in_ = nullptr;
};

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
    const int window = static_cast<int>(staging_bytes / block);  // rounds that move 256 MiB a direction
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

/// Runs a load for a while and writes clocks, power and speed every tenth of a second.
void sustained_point(Session& session, const char* load, double seconds, double work_per_round,
                     const std::function<void()>& verify, const std::function<void()>& round) {
  session.point(JsonObject().set("op", "sustained").set("load", load).set("seconds", seconds), [&](PointResult& r) {
    verify();
    r.verified = true;
    std::vector<double> at_s, rate, clock, power, heat;
    std::vector<double> reasons;
    const auto energy_before = session.nvml().energy_j();
    const Clock::time_point start = Clock::now();
    while (seconds_since(start) < seconds) {
      const Clock::time_point begin = Clock::now();
      double rounds = 0;
      while (seconds_since(begin) < 0.1) {
        round();
        session.synchronize();
        ++rounds;
      }
      const double spent = seconds_since(begin);
      round();  // the probe must find the GPU at work, not just idle
      clock.push_back(session.probe_clock_mhz());
      at_s.push_back(seconds_since(start));
      rate.push_back(work_per_round * rounds / spent);
      power.push_back(session.nvml().power_w().value_or(NAN));  // written as null
      const auto celsius = session.nvml().temperature_c();
      heat.push_back(celsius ? static_cast<double>(*celsius) : NAN);
      reasons.push_back(static_cast<double>(session.nvml().throttle_reasons()));
    }
    const double total_s = seconds_since(start);
    const auto energy_after = session.nvml().energy_j();
    session.note_throttle(r.timing);
    r.metrics.set("t_s", at_s).set("rate_per_s", rate).set("clock_mhz", clock).set("power_w", power);
    r.metrics.set("temperature_c", heat).set("clocks_event_reasons", reasons);
    if (energy_before && energy_after) r.metrics.set("mean_power_w", (*energy_after - *energy_before) / total_s);
    if (rate.size() >= 4) {
      const std::vector<double> late(rate.begin() + static_cast<std::ptrdiff_t>(rate.size() / 2), rate.end());
      r.metrics.set("burst_rate_per_s", *std::max_element(rate.begin(), rate.end()));
      r.metrics.set("sustained_rate_per_s", summarize(late).median_s);
    }
    r.metrics.set("work_unit", std::string(load) == "matmul" ? "flop" : "byte");
  });
}

void sustained_points(Session& session, const Traffic& traffic) {
  const auto step_round = [&] {
    for (int i = 0; i < 8; ++i) traffic.enqueue_step(session.stream());
  };
  sustained_point(session, "idle", 1.0, 0, [] {}, [] { std::this_thread::sleep_for(std::chrono::milliseconds(5)); });
  sustained_point(session, "decode_reads", 3.0, 8.0 * static_cast<double>(Traffic::step_bytes),
                  [&] { traffic.verify_step(); }, step_round);
  const JsonObject marker = JsonObject().set("op", "sustained").set("load", "matmul").set("seconds", 10.0);
  if (!session.wanted(marker)) return;
  const SquareMatmul product(8192, session.stream());
  sustained_point(session, "matmul", 10.0, 8 * product.flops(), [&] { product.verify(session.stream()); }, [&] {
    for (int i = 0; i < 8; ++i) product.enqueue(session.stream());
  });
}

}  // namespace

void run_overlap(Session& session) {
  const Traffic traffic(session);
  for (const char* direction : {"d2h", "h2d", "both"}) {
    for (const std::uint64_t block : {2 * MiB, 16 * MiB}) copy_point(session, traffic, direction, block);
  }
  copy_point(session, traffic, "d2h", MiB / 4);
  sustained_points(session, traffic);
}

}  // namespace brink::kernels
