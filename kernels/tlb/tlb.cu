#include "kernels/tlb/tlb.h"

#include <algorithm>

#include "kernels/hbm/reference.h"
#include "kernels/runner/chaser.h"
#include "kernels/runner/session.h"
#include "kernels/runner/verify.h"

namespace brink::kernels {
namespace {

constexpr std::uint64_t KiB = 1024;
constexpr std::uint64_t MiB = KiB * KiB;
constexpr std::uint64_t GiB = KiB * MiB;
constexpr std::uint64_t seed = 31;
constexpr std::uint64_t seed_order = 32;
constexpr int reads_per_lane = 32;
constexpr unsigned threads = 256;

/// Line that read `i` of thread `thread` takes among `lines` (< 2^32): the hash as a fraction of them,
/// since a wide remainder would cost more than the load.
BRINK_HOST_DEVICE std::uint64_t random_line(std::uint64_t thread, int i, std::uint64_t lines) {
  return hash_u32(seed_order, thread * reads_per_lane + static_cast<std::uint64_t>(i)) * lines >> 32;
}

/// Every lane reads 16 bytes of lines all over the reach; lanes of a warp share nothing.
__global__ void __launch_bounds__(threads) random_read(const uint4* data, std::uint64_t lines, std::uint32_t* out) {
  const std::uint64_t thread = static_cast<std::uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  std::uint32_t sum = 0;
#pragma unroll 8
  for (int i = 0; i < reads_per_lane; ++i) {
    const uint4 v = __ldcg(data + random_line(thread, i, lines) * 8);
    sum ^= v.x ^ v.y ^ v.z ^ v.w;
  }
  out[thread] = sum;
}

/// As much memory as the device gives, in steps of 2 % down from what is free.
DeviceArray<unsigned char> nearly_all(const Session& session) {
  std::size_t bytes = session.free_bytes() / (2 * MiB) * (2 * MiB);
  for (;;) {
    try {
      return DeviceArray<unsigned char>(bytes);
    } catch (const CudaError& error) {
      if (!error.out_of_memory() || bytes < GiB) throw;
      bytes = bytes / 50 * 49 / (2 * MiB) * (2 * MiB);
    }
  }
}

std::vector<std::uint64_t> reaches(std::uint64_t first, std::uint64_t last, int per_octave, std::uint64_t stride) {
  std::vector<std::uint64_t> out;
  for (const long long r : log_grid(static_cast<long long>(first), static_cast<long long>(last), per_octave,
                                    static_cast<long long>(stride))) {
    out.push_back(static_cast<std::uint64_t>(r));
  }
  return out;
}

void random_points(Session& session, const DeviceArray<unsigned char>& memory) {
  const auto blocks = static_cast<unsigned>(session.device().sm_count * 64);
  const std::uint64_t reads = static_cast<std::uint64_t>(blocks) * threads * reads_per_lane;
  const DeviceArray<std::uint32_t> out(static_cast<std::size_t>(blocks) * threads);
  for (const std::uint64_t reach : reaches(128 * MiB, memory.bytes() / GiB * GiB, 1, MiB)) {
    session.point(JsonObject().set("op", "random_read").set("reach_bytes", reach), [&](PointResult& r) {
      const std::uint64_t lines = reach / 128;
      const auto launch = [&](cudaStream_t s, int) {
        random_read<<<blocks, threads, 0, s>>>(reinterpret_cast<const uint4*>(memory.get()), lines, out.get());
      };
      out.poison(session.stream());
      launch(session.stream(), 0);
      BRINK_CUDA_CHECK(cudaGetLastError());
      const std::vector<std::uint32_t> got = out.to_host(session.stream());
      for (std::uint64_t i = 0; i < 200; ++i) {
        const std::uint64_t thread = hash_u32(9, i) % got.size();
        std::uint32_t want = 0;
        for (int j = 0; j < reads_per_lane; ++j) want ^= xor_of_words(seed, random_line(thread, j, lines) * 32, 4);
        require_equal("XOR of thread " + std::to_string(thread), got[thread], want);
      }
      r.verified = true;
      r.time(session.measure(MeasureOptions{}, launch));
      const double rate = static_cast<double>(reads) / r.timing.seconds.median_s;
      r.metrics.set("reads", static_cast<std::int64_t>(reads)).set("reads_per_s", rate);
      r.metrics.set("sector_gb_per_s", rate * 32e-9);
    });
  }
}

void chase_point(Session& session, const DeviceArray<unsigned char>& memory, const JsonObject& params,
                 const ChaseOptions& options) {
  session.point(params, [&](PointResult& r) {
    const ChaseResult result = chase(session, memory.get(), options);
    r.time(result.timing);
    r.verified = true;
    r.metrics.set("cycles_per_hop", result.cycles_per_hop);
    r.metrics.set("nodes", options.layout.nodes).set("lines_bytes", options.layout.nodes * 128);
  });
}

/// One line in each stride: the lines stay in the L2, so what grows with the reach is translation.
void reach_points(Session& session, const DeviceArray<unsigned char>& memory) {
  constexpr std::uint64_t nodes_max = 262144;  // 32 MiB of lines, still within the L2
  for (const std::uint64_t stride : {64 * KiB, 512 * KiB, 2 * MiB, 8 * MiB, 32 * MiB}) {
    const std::uint64_t last = std::min(memory.bytes(), nodes_max * stride) / (64 * MiB) * (64 * MiB);
    const std::uint64_t first = std::max(32 * MiB, 8 * stride);
    if (last < first) continue;
    for (const std::uint64_t reach : reaches(first, last, stride == 2 * MiB ? 2 : 1, stride)) {
      ChaseOptions options;
      options.layout = {reach / stride, stride, seed};
      options.hops = 4096;
      options.warm_up_hops = std::min<std::uint64_t>(options.layout.nodes, 4096);
      options.warm_up_read = true;
      chase_point(session, memory, JsonObject().set("op", "chase").set("stride_bytes", stride).set("reach_bytes", reach),
                  options);
    }
  }
}

/// A warp waits for the slowest of its lanes: hop time by lanes, in the L2 and in memory.
void lane_points(Session& session, const DeviceArray<unsigned char>& memory) {
  for (const std::uint64_t reach : {16 * MiB, GiB, 16 * GiB}) {
    if (reach > memory.bytes()) continue;
    for (const int lanes : {1, 2, 4, 8, 16, 32}) {
      ChaseOptions options;
      options.layout = {reach / 128, 128, seed};
      options.lanes = lanes;
      options.hops = 2048;
      options.warm_up_hops = 512;
      options.warm_up_read = reach <= 16 * MiB;
      chase_point(session, memory, JsonObject().set("op", "lanes").set("lanes", lanes).set("reach_bytes", reach), options);
    }
  }
}

}  // namespace

void run_tlb(Session& session) {
  const DeviceArray<unsigned char> memory = nearly_all(session);
  fill_u32(reinterpret_cast<std::uint32_t*>(memory.get()), memory.bytes() / 4, seed, session.stream());
  session.synchronize();
  random_points(session, memory);
  reach_points(session, memory);
  lane_points(session, memory);
}

}  // namespace brink::kernels
