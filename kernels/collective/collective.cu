#include "kernels/collective/collective.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "kernels/collective/nccl_library.h"
#include "kernels/runner/hash.h"
#include "kernels/runner/samples.h"
#include "kernels/runner/session.h"
#include "kernels/runner/verify.h"

namespace brink::kernels {

namespace {

constexpr std::int64_t bytes_max = std::int64_t{256} << 20;

/// Small integers: sums over up to 36 ranks stay below 256, which bf16 holds exactly, in any order.
BRINK_HOST_DEVICE int rank_value(int rank, std::int64_t i) { return static_cast<int>((i + 3 * rank) % 8); }

__global__ void fill_rank(std::uint16_t* to, std::int64_t count, int rank) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    // An integer up to 7 has at most three significant bits: truncating the float to bf16 is exact.
    to[i] = static_cast<std::uint16_t>(__float_as_uint(static_cast<float>(rank_value(rank, i))) >> 16);
  }
}

/// Makes a device current for a scope.
class OnDevice {
 public:
  explicit OnDevice(int device) {
    BRINK_CUDA_CHECK(cudaGetDevice(&before_));
    BRINK_CUDA_CHECK(cudaSetDevice(device));
  }
  ~OnDevice() { cudaSetDevice(before_); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

 private:
  int before_ = 0;
};

struct Rank {
  int device = 0;
  cudaStream_t stream = nullptr;
  cudaEvent_t begin = nullptr;
  cudaEvent_t end = nullptr;
  DeviceArray<std::uint16_t> from;
  DeviceArray<std::uint16_t> to;
};

class AllReduceBench {
 public:
  AllReduceBench(const NcclLibrary& nccl, int ranks)
      : nccl_(nccl), communicators_(static_cast<std::size_t>(ranks)), ranks_(static_cast<std::size_t>(ranks)) {
    std::vector<int> devices;
    for (int r = 0; r < ranks; ++r) {
      devices.push_back(r);
      Rank& rank = ranks_[static_cast<std::size_t>(r)];
      const OnDevice current(r);
      rank.device = r;
      BRINK_CUDA_CHECK(cudaStreamCreateWithFlags(&rank.stream, cudaStreamNonBlocking));
      BRINK_CUDA_CHECK(cudaEventCreate(&rank.begin));
      BRINK_CUDA_CHECK(cudaEventCreate(&rank.end));
      rank.from = DeviceArray<std::uint16_t>(bytes_max / 2);
      rank.to = DeviceArray<std::uint16_t>(bytes_max / 2);
      fill_rank<<<1024, 256, 0, rank.stream>>>(rank.from.get(), bytes_max / 2, r);
      BRINK_CUDA_CHECK(cudaGetLastError());
      BRINK_CUDA_CHECK(cudaStreamSynchronize(rank.stream));
    }
    nccl.check(nccl.comm_init_all(communicators_.data(), ranks, devices.data()), "ncclCommInitAll");
  }
  ~AllReduceBench() {
    for (void* communicator : communicators_) {
      if (communicator != nullptr) nccl_.comm_destroy(communicator);
    }
    for (Rank& rank : ranks_) {
      cudaEventDestroy(rank.begin);
      cudaEventDestroy(rank.end);
      cudaStreamDestroy(rank.stream);
    }
  }
  AllReduceBench(const AllReduceBench&) = delete;
  AllReduceBench& operator=(const AllReduceBench&) = delete;

  void enqueue(std::int64_t count) {
    nccl_.check(nccl_.group_start(), "ncclGroupStart");
    for (std::size_t r = 0; r < ranks_.size(); ++r) {
      const Rank& rank = ranks_[r];
      nccl_.check(nccl_.all_reduce(rank.from.get(), rank.to.get(), static_cast<std::size_t>(count),
                                   NcclLibrary::bfloat16, NcclLibrary::sum, communicators_[r], rank.stream),
                  "ncclAllReduce");
    }
    nccl_.check(nccl_.group_end(), "ncclGroupEnd");
  }

  /// Poisons, reduces once and checks both ends of every rank's result; sums are exact, so they must be equal.
  void verify(std::int64_t count) {
    for (Rank& rank : ranks_) {
      const OnDevice current(rank.device);
      rank.to.poison(rank.stream);
    }
    enqueue(count);
    const std::int64_t looked_at = std::min<std::int64_t>(count, 1024);
    for (Rank& rank : ranks_) {
      const OnDevice current(rank.device);
      for (const std::int64_t first : {std::int64_t{0}, count - looked_at}) {
        const auto got =
            rank.to.to_host(rank.stream, static_cast<std::size_t>(first), static_cast<std::size_t>(looked_at));
        for (std::int64_t i = 0; i < looked_at; ++i) {
          int want = 0;
          for (std::size_t r = 0; r < ranks_.size(); ++r) want += rank_value(static_cast<int>(r), first + i);
          require_equal("all-reduced bf16 bits", got[static_cast<std::size_t>(i)],
                        bf16_from_float(static_cast<float>(want)));
        }
      }
    }
  }

  /// Seconds per all-reduce of `batch` back to back: the slowest rank's.
  double sample(std::int64_t count, int batch) {
    for (Rank& rank : ranks_) {
      const OnDevice current(rank.device);
      BRINK_CUDA_CHECK(cudaEventRecord(rank.begin, rank.stream));
    }
    for (int i = 0; i < batch; ++i) enqueue(count);
    for (Rank& rank : ranks_) {
      const OnDevice current(rank.device);
      BRINK_CUDA_CHECK(cudaEventRecord(rank.end, rank.stream));
    }
    double slowest = 0;
    for (Rank& rank : ranks_) {
      const OnDevice current(rank.device);
      BRINK_CUDA_CHECK(cudaEventSynchronize(rank.end));
      float ms = 0;
      BRINK_CUDA_CHECK(cudaEventElapsedTime(&ms, rank.begin, rank.end));
      slowest = std::max(slowest, static_cast<double>(ms) * 1e-3);
    }
    return slowest / batch;
  }

 private:
  const NcclLibrary& nccl_;
  std::vector<void*> communicators_;
  std::vector<Rank> ranks_;
};

Timing time_all_reduce(AllReduceBench& bench, std::int64_t count) {
  constexpr int batch = 20;  // the host's launches of one hide behind the GPU's work on another
  StopRule rule;
  rule.samples_max = 60;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) bench.sample(count, batch);
  Timing timing;
  timing.batch = batch;
  timing.method = Method::stream;
  std::vector<double> samples;
  do {
    samples.push_back(bench.sample(count, batch));
    timing.seconds = summarize(samples);
  } while (
      !settled(timing.seconds, rule, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()));
  return timing;
}

}  // namespace

void run_collective(Session& session) {
  JsonObject all;
  all.set("what", "all_reduce");
  int ranks = 0;
  BRINK_CUDA_CHECK(cudaGetDeviceCount(&ranks));
  if (ranks < 2) {
    session.skip(all, "an all-reduce needs two GPUs; this machine shows " + std::to_string(ranks));
    return;
  }
  const NcclLibrary nccl;
  if (!nccl.available()) {
    session.skip(all, "NCCL is not available: " + nccl.missing());
    return;
  }
  std::unique_ptr<AllReduceBench> bench;
  for (std::int64_t bytes = 1024; bytes <= bytes_max; bytes *= 2) {
    JsonObject params;
    params.set("what", "all_reduce").set("ranks", ranks).set("bytes", bytes);
    session.point(params, [&](PointResult& result) {
      if (!bench) bench = std::make_unique<AllReduceBench>(nccl, ranks);
      bench->verify(bytes / 2);
      result.verified = true;
      result.time(time_all_reduce(*bench, bytes / 2));
      result.metrics.set("nccl", nccl.version()).set("dtype", "bf16");
      result.metrics.set("bus_gb_per_s", 1e-9 * all_reduce_bus_bandwidth(ranks, static_cast<double>(bytes),
                                                                         result.timing.seconds.median_s));
    });
  }
}

}  // namespace brink::kernels
