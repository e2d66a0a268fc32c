#include "kernels/host_link/host_link.h"

#include <algorithm>
#include <cstring>

#include "kernels/runner/hash.h"
#include "kernels/runner/session.h"
#include "kernels/runner/verify.h"

namespace brink::kernels {
namespace {

constexpr std::uint64_t KiB = 1024;
constexpr std::uint64_t MiB = KiB * KiB;
constexpr std::uint64_t bytes_max = 256 * MiB;
constexpr std::uint64_t seed_host = 41;
constexpr std::uint64_t seed_device = 42;

enum class Direction { to_device, to_host, both };

const char* name_of(Direction direction) {
  switch (direction) {
    case Direction::to_device: return "h2d";
    case Direction::to_host: return "d2h";
    case Direction::both: return "both";
  }
  return "";
}

/// Buffers of both sides and a second stream, so that the two directions use two copy engines.
class Link {
 public:
  explicit Link(cudaStream_t stream)
      : host_source(bytes_max), host_target(bytes_max), device_source(bytes_max / 4), device_target(bytes_max / 4) {
    BRINK_CUDA_CHECK(cudaStreamCreateWithFlags(&other_, cudaStreamNonBlocking));
    BRINK_CUDA_CHECK(cudaEventCreateWithFlags(&fork_, cudaEventDisableTiming));
    BRINK_CUDA_CHECK(cudaEventCreateWithFlags(&join_, cudaEventDisableTiming));
    fill_u32(device_source.get(), device_source.size(), seed_device, stream);
    auto* words = reinterpret_cast<std::uint32_t*>(host_source.get());
    for (std::uint64_t i = 0; i < bytes_max / 4; ++i) words[i] = hash_u32(seed_host, i);
    BRINK_CUDA_CHECK(cudaStreamSynchronize(stream));
  }
  ~Link() {
    cudaEventDestroy(fork_);
    cudaEventDestroy(join_);
    cudaStreamDestroy(other_);
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Enqueues copies of `bytes` in pieces of `block` bytes; `stream` waits for all of them.
  void enqueue(cudaStream_t stream, Direction direction, std::uint64_t bytes, std::uint64_t block) const {
    const bool both = direction == Direction::both;
    if (both) {
      BRINK_CUDA_CHECK(cudaEventRecord(fork_, stream));
      BRINK_CUDA_CHECK(cudaStreamWaitEvent(other_, fork_, 0));
    }
    // In turns, so that neither direction has a head start.
    for (std::uint64_t at = 0; at < bytes; at += block) {
      const std::uint64_t size = std::min(block, bytes - at);
      if (direction != Direction::to_host) {
        BRINK_CUDA_CHECK(cudaMemcpyAsync(reinterpret_cast<unsigned char*>(device_target.get()) + at,
                                         host_source.get() + at, size, cudaMemcpyHostToDevice, stream));
      }
      if (direction != Direction::to_device) {
        BRINK_CUDA_CHECK(cudaMemcpyAsync(host_target.get() + at,
                                         reinterpret_cast<const unsigned char*>(device_source.get()) + at, size,
                                         cudaMemcpyDeviceToHost, both ? other_ : stream));
      }
    }
    if (both) {
      BRINK_CUDA_CHECK(cudaEventRecord(join_, other_));
      BRINK_CUDA_CHECK(cudaStreamWaitEvent(stream, join_, 0));
    }
  }

  /// Poisons the targets, copies once and compares both ends and the middle of what arrived.
  void verify(cudaStream_t stream, Direction direction, std::uint64_t bytes, std::uint64_t block) const {
    device_target.poison(stream);
    std::memset(host_target.get(), 0xFF, bytes);
    enqueue(stream, direction, bytes, block);
    BRINK_CUDA_CHECK(cudaStreamSynchronize(stream));
    const std::uint64_t words = bytes / 4;
    for (std::uint64_t i = 0; i < 256; ++i) {
      const std::uint64_t at = i < 2 ? i * (words - 1) : hash_u32(43, i) % words;
      if (direction != Direction::to_host) {
        require_equal("word that reached the device", device_target.to_host(stream, at, 1).front(),
                      hash_u32(seed_host, at));
      }
      if (direction != Direction::to_device) {
        std::uint32_t got;
        std::memcpy(&got, host_target.get() + at * 4, 4);
        require_equal("word that reached the host", got, hash_u32(seed_device, at));
      }
    }
  }

 private:
  PinnedBytes host_source, host_target;
  DeviceArray<std::uint32_t> device_source, device_target;
  cudaStream_t other_ = nullptr;
  cudaEvent_t fork_ = nullptr;
  cudaEvent_t join_ = nullptr;
};

void copy_point(Session& session, const Link& link, Direction direction, std::uint64_t bytes, std::uint64_t block) {
  const JsonObject params =
      JsonObject().set("direction", name_of(direction)).set("bytes", bytes).set("block_bytes", block);
  session.point(params, [&](PointResult& r) {
    link.verify(session.stream(), direction, bytes, block);
    r.verified = true;
    MeasureOptions options;
    options.method = Method::stream;
    options.batch_max = 16;  // the host enqueues a copy hardly faster than a small one runs
    r.time(session.measure(options, [&](cudaStream_t s, int) { link.enqueue(s, direction, bytes, block); }));
    const double moved = static_cast<double>(bytes) * (direction == Direction::both ? 2 : 1);
    r.metrics.set("bytes", moved).set("gb_per_s", moved / r.timing.seconds.median_s * 1e-9);
  });
}

}  // namespace

void run_host_link(Session& session) {
  const Link link(session.stream());
  for (const Direction direction : {Direction::to_device, Direction::to_host, Direction::both}) {
    for (std::uint64_t bytes = 4 * KiB; bytes <= bytes_max; bytes *= 2) {
      copy_point(session, link, direction, bytes, bytes);
    }
    // A KV cache leaves in blocks: 64 KiB is a layer's block of one rank, 2 MiB what offloaders merge to.
    for (const std::uint64_t block : {16 * KiB, 64 * KiB, 256 * KiB, MiB, 2 * MiB, 8 * MiB}) {
      copy_point(session, link, direction, std::min(64 * MiB, block * 512), block);
    }
  }
}

}  // namespace brink::kernels
