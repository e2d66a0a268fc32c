#include "kernels/hbm/hbm.h"

#include <algorithm>
#include <cmath>

#include "kernels/hbm/reference.h"
#include "kernels/hbm/streams.cuh"
#include "kernels/runner/hash.h"
#include "kernels/runner/session.h"
#include "kernels/runner/verify.h"

namespace brink::kernels {
namespace {

constexpr std::uint64_t seed_data = 11;
constexpr std::uint64_t seed_b = 12;
constexpr std::uint64_t seed_c = 13;
constexpr std::uint64_t seed_table = 14;
constexpr float triad_scale = 0.5F;
constexpr std::uint64_t gathered_bytes = std::uint64_t{512} << 20;  // ten times the L2
constexpr std::uint64_t KiB = 1024;
constexpr std::uint64_t MiB = KiB * KiB;
constexpr std::uint64_t GiB = KiB * MiB;

unsigned blocks_for(std::uint64_t bytes) { return static_cast<unsigned>(bytes / block_bytes_moved); }

/// Warps whose result is recomputed: the first, the last and some in between.
std::vector<std::uint64_t> sampled(std::uint64_t warps) {
  std::vector<std::uint64_t> chosen = {0, warps - 1};
  for (std::uint64_t i = 0; i < 200; ++i) chosen.push_back(hash_u32(5, i) % warps);
  return chosen;
}

template <typename Reference>
void verify_warps(Session& session, const DeviceArray<std::uint32_t>& out, std::uint64_t warps, Reference reference) {
  const std::vector<std::uint32_t> got = out.to_host(session.stream(), 0, warps);
  for (const std::uint64_t warp : sampled(warps)) {
    require_equal("XOR of warp " + std::to_string(warp), got[warp], reference(warp));
  }
}

void finish(Session& session, PointResult& r, double bytes, Method method, const Launch& launch) {
  MeasureOptions options;
  options.method = method;
  r.time(session.measure(options, launch));
  r.verified = true;
  r.metrics.set("bytes", bytes).set("gb_per_s", bytes / r.timing.seconds.median_s * 1e-9);
}

struct Pool {
  DeviceArray<std::uint32_t> words;  // filled with hash_u32(seed_data, index)
  DeviceArray<std::uint32_t> out;
  std::uint64_t bytes() const { return words.bytes(); }
};

void read_point(Session& session, const Pool& pool, std::uint64_t bytes, Method method, const JsonObject& params) {
  session.point(params, [&](PointResult& r) {
    const auto launch = [&](cudaStream_t s, int) {
      read_stream<<<blocks_for(bytes), stream_threads, 0, s>>>(reinterpret_cast<const uint4*>(pool.words.get()),
                                                               pool.out.get());
    };
    pool.out.poison(session.stream());
    launch(session.stream(), 0);
    BRINK_CUDA_CHECK(cudaGetLastError());
    verify_warps(session, pool.out, bytes / unit_bytes, [](std::uint64_t warp) {
      return xor_of_words(seed_data, warp * (unit_bytes / 4), unit_bytes / 4);
    });
    finish(session, r, static_cast<double>(bytes), method, launch);
  });
}

/// Writes and copies go to `scratch`; its first half is the target of a copy of the same size.
void write_point(Session& session, const DeviceArray<uint4>& scratch, std::uint64_t bytes, Method method,
                 const JsonObject& params) {
  session.point(params, [&](PointResult& r) {
    constexpr std::uint32_t tag = 0x5eed;
    const auto launch = [&](cudaStream_t s, int) {
      write_stream<<<blocks_for(bytes), stream_threads, 0, s>>>(scratch.get(), tag);
    };
    BRINK_CUDA_CHECK(cudaMemsetAsync(scratch.get(), 0xFF, bytes, session.stream()));
    launch(session.stream(), 0);
    BRINK_CUDA_CHECK(cudaGetLastError());
    for (const std::uint64_t warp : sampled(bytes / unit_bytes)) {
      const std::uint64_t at = (warp + 1) * (unit_bytes / 16) - 1;
      const uint4 got = scratch.to_host(session.stream(), at, 1).front();
      const auto index = static_cast<std::uint32_t>(at);
      require_equal("word " + std::to_string(at), got.x, index);
      require_equal("tag of word " + std::to_string(at), got.y, tag);
      require_equal("inverse of word " + std::to_string(at), got.z, static_cast<std::uint32_t>(~index));
    }
    finish(session, r, static_cast<double>(bytes), method, launch);
  });
}

/// `bytes` counts what is read and what is written.
void copy_point(Session& session, const Pool& pool, const DeviceArray<uint4>& scratch, std::uint64_t bytes,
                Method method, const JsonObject& params) {
  session.point(params, [&](PointResult& r) {
    const std::uint64_t part = bytes / 2;
    const auto launch = [&](cudaStream_t s, int) {
      copy_stream<<<blocks_for(part), stream_threads, 0, s>>>(scratch.get(),
                                                              reinterpret_cast<const uint4*>(pool.words.get()));
    };
    BRINK_CUDA_CHECK(cudaMemsetAsync(scratch.get(), 0xFF, part, session.stream()));
    launch(session.stream(), 0);
    BRINK_CUDA_CHECK(cudaGetLastError());
    for (const std::uint64_t warp : sampled(part / unit_bytes)) {
      const std::uint64_t at = warp * (unit_bytes / 16) + warp % 256;
      const uint4 got = scratch.to_host(session.stream(), at, 1).front();
      require_equal("first word of copy " + std::to_string(at), got.x, hash_u32(seed_data, 4 * at));
      require_equal("last word of copy " + std::to_string(at), got.w, hash_u32(seed_data, 4 * at + 3));
    }
    finish(session, r, static_cast<double>(bytes), method, launch);
  });
}

void triad_point(Session& session, const DeviceArray<uint4>& scratch, std::uint64_t bytes, Method method,
                 const JsonObject& params) {
  session.point(params, [&](PointResult& r) {
    const std::uint64_t part = bytes / 3 / block_bytes_moved * block_bytes_moved;
    const std::uint64_t floats = part / 4;
    auto* a = reinterpret_cast<float*>(scratch.get());
    float* b = a + floats;
    float* c = b + floats;
    fill_float(b, floats, seed_b, session.stream());
    fill_float(c, floats, seed_c, session.stream());
    const auto launch = [&](cudaStream_t s, int) {
      triad_stream<<<blocks_for(part), stream_threads, 0, s>>>(reinterpret_cast<float4*>(a),
                                                               reinterpret_cast<const float4*>(b),
                                                               reinterpret_cast<const float4*>(c), triad_scale);
    };
    BRINK_CUDA_CHECK(cudaMemsetAsync(a, 0xFF, part, session.stream()));
    launch(session.stream(), 0);
    BRINK_CUDA_CHECK(cudaGetLastError());
    std::vector<float> got;
    std::vector<double> want;
    for (const std::uint64_t warp : sampled(part / unit_bytes)) {
      const std::uint64_t at = warp * (unit_bytes / 4) + warp % 1024;
      const std::uint64_t word = at / 4;
      const uint4 raw = scratch.to_host(session.stream(), word, 1).front();
      float four[4];
      std::memcpy(four, &raw, sizeof four);
      got.push_back(four[at % 4]);
      want.push_back(static_cast<double>(hash_unit(seed_b, at)) +
                     static_cast<double>(triad_scale) * static_cast<double>(hash_unit(seed_c, at)));
    }
    require_close("triad", got.data(), want.data(), got.size(), 1e-6);
    finish(session, r, 3.0 * static_cast<double>(part), method, launch);
  });
}

void stream_points(Session& session, const Pool& pool, const DeviceArray<uint4>& scratch) {
  const std::uint64_t largest = std::min(pool.bytes(), scratch.bytes());
  for (const bool cold : {false, true}) {
    const Method method = cold ? Method::cold : Method::graph;
    // A cold run differs from a warm one only while the data would fit the L2.
    const std::uint64_t last = cold ? 256 * MiB : largest;
    for (std::uint64_t bytes = 256 * KiB; bytes <= last; bytes *= 2) {
      const auto params = [&](const char* op) {
        return JsonObject().set("op", op).set("bytes", bytes).set("cache", cold ? "cold" : "warm");
      };
      read_point(session, pool, bytes, method, params("read"));
      write_point(session, scratch, bytes, method, params("write"));
      copy_point(session, pool, scratch, bytes, method, params("copy"));
      triad_point(session, scratch, bytes, method, params("triad"));
    }
  }
}

void strided_points(Session& session, const Pool& pool) {
  for (const std::uint64_t stride : {16, 32, 64, 128, 256, 512, 1024, 4096}) {
    const std::uint64_t reach = std::min<std::uint64_t>(pool.bytes(), std::max(gathered_bytes, 2 * stride * MiB));
    const std::uint64_t blocks = reach / stride / (32 * stream_depth) / (stream_threads / 32);
    const JsonObject params = JsonObject().set("op", "strided_read").set("stride_bytes", stride).set("reach_bytes", reach);
    session.point(params, [&](PointResult& r) {
      const auto launch = [&](cudaStream_t s, int) {
        strided_read<<<static_cast<unsigned>(blocks), stream_threads, 0, s>>>(
            reinterpret_cast<const uint4*>(pool.words.get()), stride / 16, pool.out.get());
      };
      pool.out.poison(session.stream());
      launch(session.stream(), 0);
      BRINK_CUDA_CHECK(cudaGetLastError());
      verify_warps(session, pool.out, blocks * (stream_threads / 32), [&](std::uint64_t warp) {
        std::uint32_t sum = 0;
        for (std::uint64_t i = 0; i < 32 * stream_depth; ++i) {
          sum ^= xor_of_words(seed_data, (warp * 32 * stream_depth + i) * stride / 4, 4);
        }
        return sum;
      });
      const auto useful = static_cast<double>(blocks * stream_threads * stream_depth * 16);
      finish(session, r, useful, Method::graph, launch);
      // Memory moves in sectors of 32 bytes.
      const double moved = useful * static_cast<double>(std::min<std::uint64_t>(stride, 32)) / 16;
      r.metrics.set("sector_gb_per_s", moved / r.timing.seconds.median_s * 1e-9);
    });
  }
}

void gather_points(Session& session, const Pool& pool) {
  // 2 bytes x 128 x 16 tokens = 4 KiB a head and 32 KiB for eight heads are what engines use.
  for (int shift = 9; shift <= 18; ++shift) {
    const std::uint64_t page = std::uint64_t{1} << shift;
    for (const std::uint64_t window : {std::uint64_t{0}, GiB, 4 * GiB, pool.bytes()}) {
      if (window > pool.bytes()) continue;
      const JsonObject params =
          JsonObject().set("op", "gather").set("page_bytes", page).set("scatter_bytes", window).set("bytes", gathered_bytes);
      session.point(params, [&](PointResult& r) {
        const std::vector<std::uint32_t> table = gather_table(gathered_bytes / page, window / page, seed_table);
        DeviceArray<std::uint32_t> on_device(table.size());
        on_device.from_host(table);
        const auto launch = [&](cudaStream_t s, int) {
          enqueue_gather(pool.words.get(), on_device.get(), shift, gathered_bytes, pool.out.get(), s);
        };
        pool.out.poison(session.stream());
        launch(session.stream(), 0);
        BRINK_CUDA_CHECK(cudaGetLastError());
        verify_warps(session, pool.out, gathered_bytes / unit_bytes, [&](std::uint64_t warp) {
          return xor_of_gather(seed_data, table, page, warp, unit_bytes);
        });
        finish(session, r, static_cast<double>(gathered_bytes), Method::graph, launch);
      });
    }
  }
}

}  // namespace

void run_hbm(Session& session) {
  // A power of two keeps the scattered tables cheap to make and the keys the same on every run.
  std::uint64_t bytes = 16 * GiB;
  while (bytes > MiB && bytes + bytes / 2 > session.free_bytes()) bytes /= 2;
  Pool pool{DeviceArray<std::uint32_t>(bytes / 4), DeviceArray<std::uint32_t>(bytes / unit_bytes)};
  const DeviceArray<uint4> scratch(std::min<std::uint64_t>(bytes / 2, 8 * GiB) / 16);
  fill_u32(pool.words.get(), pool.words.size(), seed_data, session.stream());
  session.synchronize();
  stream_points(session, pool, scratch);
  strided_points(session, pool);
  gather_points(session, pool);
}

}  // namespace brink::kernels
