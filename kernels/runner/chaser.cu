#include <algorithm>
#include <chrono>

#include "kernels/runner/chaser.h"
#include "kernels/runner/device_clock.cuh"
#include "kernels/runner/verify.h"

namespace brink::kernels {
namespace {

__global__ void write_chain(unsigned char* memory, ChaseLayout layout) {
  const std::uint64_t step = static_cast<std::uint64_t>(gridDim.x) * blockDim.x;
  for (std::uint64_t p = static_cast<std::uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x; p < layout.nodes;
       p += step) {
    *reinterpret_cast<std::uint64_t*>(memory + layout.offset(p)) = layout.offset(p + 1);
  }
}

/// Brings every node's line into the L2.
__global__ void touch_chain(const unsigned char* memory, ChaseLayout layout, unsigned* sink) {
  const std::uint64_t step = static_cast<std::uint64_t>(gridDim.x) * blockDim.x;
  std::uint64_t seen = 0;
  for (std::uint64_t p = static_cast<std::uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x; p < layout.nodes;
       p += step) {
    seen |= load_l2(memory + layout.offset(p));
  }
  if (seen == ~std::uint64_t{0}) *sink = 1;  // no offset has all bits set
}

struct ChaseOutput {
  std::uint64_t cycles;
  std::uint64_t ns;
  std::uint64_t end[32];  // offset each lane arrived at
};

__device__ std::uint64_t hop(const unsigned char* memory, std::uint64_t offset, std::uint64_t count) {
#pragma unroll 8
  for (std::uint64_t i = 0; i < count; ++i) offset = load_l2(memory + offset);
  return offset;
}

/// One warp; lanes from `lanes` on idle. Lane l starts l * nodes / lanes steps after `first`.
__global__ void chase_kernel(const unsigned char* memory, ChaseLayout layout, int lanes, std::uint64_t first,
                             std::uint64_t warm_up, std::uint64_t hops, ChaseOutput* out) {
  const int lane = static_cast<int>(threadIdx.x);
  if (lane >= lanes) return;
  const unsigned mask = lanes == 32 ? 0xffffffffU : (1U << lanes) - 1;
  const std::uint64_t start = first + layout.nodes / static_cast<std::uint64_t>(lanes) * static_cast<std::uint64_t>(lane);
  std::uint64_t offset = hop(memory, layout.offset(start), warm_up);
  if (offset == ~std::uint64_t{0}) return;  // never: the branch makes the clock wait for the last untimed load
  __syncwarp(mask);
  const std::uint64_t ns_begin = global_ns();
  const long long begin = sm_clock();
  offset = hop(memory, offset, hops);
  out->end[lane] = offset;  // the store waits for the last load; the fence keeps the clock behind it
  __syncwarp(mask);
  __threadfence_block();
  const long long end = sm_clock();
  const std::uint64_t ns_end = global_ns();
  if (lane == 0) {
    out->cycles = static_cast<std::uint64_t>(end - begin);
    out->ns = ns_end - ns_begin;
  }
}

void check_ends(const ChaseOptions& options, std::uint64_t first, const ChaseOutput& out) {
  const std::uint64_t steps = options.warm_up_hops + options.hops;
  const auto lanes = static_cast<std::uint64_t>(options.lanes);
  for (std::uint64_t lane = 0; lane < lanes; ++lane) {
    const std::uint64_t start = first + options.layout.nodes / lanes * lane;
    require_equal("end of the chase of lane " + std::to_string(lane), out.end[lane],
                  options.layout.offset(start + steps));
  }
}

}  // namespace

ChaseResult chase(Session& session, unsigned char* memory, const ChaseOptions& options) {
  using Clock = std::chrono::steady_clock;
  const DeviceArray<ChaseOutput> output(1);
  const DeviceArray<unsigned> sink(1);
  const cudaStream_t stream = session.stream();
  const auto blocks = static_cast<unsigned>(std::min<std::uint64_t>((options.layout.nodes + 255) / 256, 4096));
  write_chain<<<blocks, 256, 0, stream>>>(memory, options.layout);
  BRINK_CUDA_CHECK(cudaGetLastError());
  ChaseResult result;
  result.timing.method = Method::own;
  std::vector<double> seconds;
  std::vector<double> cycles;
  const Clock::time_point start = Clock::now();
  for (std::uint64_t sample = 0;; ++sample) {
    const std::uint64_t first = hash_u32(options.layout.seed + 7, sample) % options.layout.nodes;
    if (options.warm_up_read) {
      touch_chain<<<blocks, 256, 0, stream>>>(memory, options.layout, sink.get());
      BRINK_CUDA_CHECK(cudaGetLastError());
    }
    output.poison(stream);
    chase_kernel<<<1, 32, 0, stream>>>(memory, options.layout, options.lanes, first, options.warm_up_hops,
                                       options.hops, output.get());
    BRINK_CUDA_CHECK(cudaGetLastError());
    const ChaseOutput out = output.to_host(stream).front();
    check_ends(options, first, out);
    if (sample == 0) continue;  // loaded the code
    const auto hops = static_cast<double>(options.hops);
    seconds.push_back(static_cast<double>(out.ns) * 1e-9 / hops);
    cycles.push_back(static_cast<double>(out.cycles) / hops);
    const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    result.timing.seconds = summarize(seconds);
    if (settled(result.timing.seconds, options.stop, elapsed)) break;
  }
  result.cycles_per_hop = summarize(cycles).median_s;
  result.timing.clock_mhz = 1e-6 * result.cycles_per_hop / result.timing.seconds.median_s;
  session.note_throttle(result.timing);
  return result;
}

}  // namespace brink::kernels
