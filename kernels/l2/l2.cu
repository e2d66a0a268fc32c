#include "kernels/l2/l2.h"

#include <algorithm>
#include <set>

#include "kernels/hbm/reference.h"
#include "kernels/l2/slices.h"
#include "kernels/runner/chaser.h"
#include "kernels/runner/device_clock.cuh"
#include "kernels/runner/session.h"
#include "kernels/runner/verify.h"

namespace brink::kernels {
namespace {

constexpr std::uint64_t KiB = 1024;
constexpr std::uint64_t MiB = KiB * KiB;
constexpr std::uint64_t seed = 21;
constexpr unsigned unit_words = 256;  // 16-byte words a warp reads at a time: 4 KiB

/// Reads `units` of 4 KiB over and over, `total` of them, past the L1. Every pass starts
/// elsewhere, so that an SM meets lines of both halves of the L2.
__global__ void __launch_bounds__(512) reread(const uint4* data, unsigned units, unsigned total,
                                              std::uint32_t* out) {
  const unsigned warps = gridDim.x * (blockDim.x / 32);
  const unsigned warp = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32;
  std::uint32_t sum = 0;
  for (unsigned t = warp; t < total; t += warps) {  // 32 bits: a wide division would cost more than the loads
    const unsigned unit = (t + t / units * 1237) % units;
    const uint4* mine = data + static_cast<std::size_t>(unit) * unit_words + threadIdx.x % 32;
    uint4 v[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) v[i] = __ldcg(mine + i * 32);
#pragma unroll
    for (int i = 0; i < 8; ++i) sum ^= v[i].x ^ v[i].y ^ v[i].z ^ v[i].w;
  }
  sum = __reduce_xor_sync(0xffffffffU, sum);
  if (threadIdx.x % 32 == 0) out[warp] = sum;
}

/// Every SM measures every line: the line holds its own offset, and loads of it follow one another.
__global__ void line_latency(const unsigned char* lines, int count, std::uint64_t stride, int hops, float* cycles,
                             unsigned* sm, unsigned* wrong) {
  const int me = static_cast<int>(blockIdx.x);
  sm[me] = sm_id();
  for (int i = 0; i < count; ++i) {
    const int line = (i + me * 7) % count;  // SMs stand on different lines at any one time
    const std::uint64_t home = static_cast<std::uint64_t>(line) * stride;
    std::uint64_t at = load_l2(lines + home);
    at = load_l2(lines + at);
    if (at != home) {
      *wrong = 1;
      return;
    }
    const long long begin = sm_clock();
#pragma unroll 8
    for (int h = 0; h < hops; ++h) at = load_l2(lines + at);
    if (at != home) {  // also makes the clock wait for the last load
      *wrong = 1;
      return;
    }
    cycles[me * count + line] = static_cast<float>(sm_clock() - begin) / static_cast<float>(hops);
  }
}

__global__ void write_homes(unsigned char* lines, int count, std::uint64_t stride) {
  const int line = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (line >= count) return;
  const std::uint64_t home = static_cast<std::uint64_t>(line) * stride;
  *reinterpret_cast<std::uint64_t*>(lines + home) = home;
}

std::vector<long long> working_sets() {
  std::vector<long long> sets = log_grid(2 * MiB, 256 * MiB, 2, static_cast<long long>(MiB));
  for (long long mib = 20; mib <= 72; mib += 4) sets.push_back(mib * static_cast<long long>(MiB));  // around the knee
  std::sort(sets.begin(), sets.end());
  sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
  return sets;
}

void bandwidth_point(Session& session, const DeviceArray<std::uint32_t>& data, std::uint64_t bytes) {
  session.point(JsonObject().set("op", "bandwidth").set("working_set_bytes", bytes), [&](PointResult& r) {
    const auto units = static_cast<unsigned>(bytes / (16 * unit_words));
    // An odd number of passes leaves the XOR of all data, whatever the order.
    const unsigned passes = static_cast<unsigned>(std::max<std::uint64_t>(3, 512 * MiB / bytes)) | 1U;
    const auto blocks = static_cast<unsigned>(4 * session.device().sm_count);
    const DeviceArray<std::uint32_t> out(blocks * 16);
    const auto launch = [&](cudaStream_t s, int) {
      reread<<<blocks, 512, 0, s>>>(reinterpret_cast<const uint4*>(data.get()), units, units * passes, out.get());
    };
    out.poison(session.stream());
    launch(session.stream(), 0);
    BRINK_CUDA_CHECK(cudaGetLastError());
    std::uint32_t got = 0;
    for (const std::uint32_t x : out.to_host(session.stream())) got ^= x;
    require_equal("XOR of the working set", got, xor_of_words(seed, 0, bytes / 4));
    r.verified = true;
    r.time(session.measure(MeasureOptions{}, launch));
    const auto moved = static_cast<double>(bytes * passes);
    r.metrics.set("bytes", moved).set("gb_per_s", moved / r.timing.seconds.median_s * 1e-9);
  });
}

void latency_point(Session& session, unsigned char* memory, std::uint64_t bytes) {
  session.point(JsonObject().set("op", "latency").set("working_set_bytes", bytes), [&](PointResult& r) {
    ChaseOptions options;
    options.layout = {bytes / 128, 128, seed};
    options.warm_up_read = true;
    options.warm_up_hops = 512;  // its own path through the TLB
    const ChaseResult result = chase(session, memory, options);
    r.time(result.timing);
    r.verified = true;
    r.metrics.set("cycles_per_hop", result.cycles_per_hop);
  });
}

void slice_point(Session& session, unsigned char* memory) {
  session.point(JsonObject().set("op", "slices"), [&](PointResult& r) {
    constexpr int lines = 256;
    constexpr std::uint64_t stride = 4224;  // 33 lines: no power of two, so that all slices are met
    constexpr int hops = 64;
    // So much shared memory that a second block does not fit beside the first.
    constexpr int shared_bytes = 160 * 1024;
    const int sms = session.device().sm_count;
    const cudaStream_t stream = session.stream();
    const DeviceArray<float> cycles(static_cast<std::size_t>(sms) * lines);
    const DeviceArray<unsigned> sm(static_cast<std::size_t>(sms));
    const DeviceArray<unsigned> wrong(1);
    BRINK_CUDA_CHECK(cudaFuncSetAttribute(line_latency, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes));
    write_homes<<<1, lines, 0, stream>>>(memory, lines, stride);
    constexpr int rounds = 8;
    std::vector<std::pair<std::vector<unsigned>, std::vector<float>>> taken;  // SM of each block, its cycles
    std::set<unsigned> seen;
    for (int round = 0; round <= rounds; ++round) {
      cycles.poison(stream);
      BRINK_CUDA_CHECK(cudaMemsetAsync(wrong.get(), 0, sizeof(unsigned), stream));
      line_latency<<<static_cast<unsigned>(sms), 1, shared_bytes, stream>>>(memory, lines, stride, hops, cycles.get(),
                                                                            sm.get(), wrong.get());
      BRINK_CUDA_CHECK(cudaGetLastError());
      require_equal("lines that lead elsewhere", wrong.to_host(stream).front(), 0);
      std::vector<unsigned> ids = sm.to_host(stream);
      seen.insert(ids.begin(), ids.end());
      if (round > 0) taken.emplace_back(std::move(ids), cycles.to_host(stream));  // the first one warms up
    }
    require_equal("SMs that took part", seen.size(), static_cast<unsigned long long>(sms));
    // By SM, not by block: blocks may land elsewhere in every round. SM ids need not be contiguous.
    std::vector<double> mean(cycles.size(), 0.0);
    for (const auto& [ids, got] : taken) {
      for (std::size_t b = 0; b < ids.size(); ++b) {
        const auto row = static_cast<std::size_t>(std::distance(seen.begin(), seen.find(ids[b])));
        for (std::size_t l = 0; l < lines; ++l) mean[row * lines + l] += static_cast<double>(got[b * lines + l]) / rounds;
      }
    }
    const SliceSplit split = split_slices(mean, sms, lines);
    r.verified = true;
    r.metrics.set("lines", lines).set("near_cycles", split.near_cycles).set("far_cycles", split.far_cycles);
    r.metrics.set("far_share", split.far_share).set("separation", split.separation);
    r.metrics.set("sm_classes", split.sm_classes).set("sm_mean_cycles", split.sm_mean_cycles);
    r.metrics.set("clock_mhz", session.probe_clock_mhz());
  });
}

}  // namespace

void run_l2(Session& session) {
  const std::vector<long long> sets = working_sets();
  const auto largest = static_cast<std::uint64_t>(sets.back());
  DeviceArray<std::uint32_t> data(largest / 4);
  fill_u32(data.get(), data.size(), seed, session.stream());
  for (const long long bytes : sets) bandwidth_point(session, data, static_cast<std::uint64_t>(bytes));
  auto* memory = reinterpret_cast<unsigned char*>(data.get());  // the chases write over the data
  slice_point(session, memory);
  for (const std::uint64_t kib : {64, 256, 1024}) latency_point(session, memory, kib * KiB);
  for (const long long bytes : sets) latency_point(session, memory, static_cast<std::uint64_t>(bytes));
}

}  // namespace brink::kernels
