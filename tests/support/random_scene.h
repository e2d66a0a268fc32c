// Random small clusters with random traces, a pure function of the seed. Times are multiples of
// 1/16 s, so that sums of them are exact and simultaneous events common.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "tests/support/rig.h"

namespace brink::testing {

using Requests = std::vector<workload::Request>;

struct Scene {
  Rig rig;
  Requests requests;
};

inline constexpr double unit = 1.0 / 16.0;

inline std::int64_t pick(std::mt19937_64& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
}

inline FunctionCost::Function cost_of(std::int64_t slowness, std::int64_t host, double scale) {
  return [=](const cost::StepShape& s) {
    auto work = static_cast<double>(slowness + s.decode_sequences + s.decode_context % 7);
    for (const auto& chunk : s.chunks) work += static_cast<double>(chunk.tokens);
    const auto h = static_cast<double>(host);
    return gpu_time(Seconds(work * unit * scale), Seconds(h * unit * scale), Seconds(h * unit * scale));
  };
}

inline Scene random_scene(std::uint64_t seed, double scale = 1.0, std::size_t rotate = 0) {
  std::mt19937_64 random(seed);
  Scene scene;
  auto& e = scene.rig.engine;
  e.block_size = std::int64_t{1} << pick(random, 0, 4);
  e.max_num_seqs = pick(random, 1, 16);
  e.max_model_len = pick(random, 8, 100);
  e.max_num_batched_tokens = std::max(e.max_num_seqs, pick(random, 4, 80));
  const std::int64_t least = (e.max_model_len + e.block_size - 1) / e.block_size;
  e.kv_blocks = least + pick(random, 0, 3 * least);
  e.async_scheduling = random() % 2 == 0;
  scene.rig.replicas = static_cast<std::size_t>(pick(random, 1, 4));
  const std::int64_t host = pick(random, 0, 2);
  const std::size_t n = scene.rig.replicas;
  scene.rig.cost = [=](std::size_t i) { return cost_of(1 + static_cast<std::int64_t>((i + n - rotate) % n), host, scale); };
  double at = 0.0;
  for (std::int64_t i = pick(random, 1, 40); i > 0; --i) {
    at += static_cast<double>(pick(random, 0, 60)) * unit;
    const std::int64_t input = pick(random, 1, e.max_model_len - 1);
    scene.requests.push_back({RequestId{}, Seconds(at * scale), input, pick(random, 1, e.max_model_len - input)});
  }
  return scene;
}

}  // namespace brink::testing
