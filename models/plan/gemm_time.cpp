#include "models/plan/gemm_time.h"

#include <algorithm>
#include <cmath>

#include "models/cost/roofline.h"

namespace brink::plan {
namespace {

constexpr double kMmaRows = 64.0;  // of one warp-group MMA (PTX ISA, wgmma)
constexpr double kOutputBytes = 2.0;

double real(std::int64_t value) { return static_cast<double>(value); }

}  // namespace

Seconds joined(Seconds a, Seconds b) {
  const double x = a.value() * a.value(), y = b.value() * b.value();
  return Seconds(std::sqrt(std::sqrt(x * x + y * y)));
}

Seconds step_time(const GemmTile& tile, Cluster cluster, const GemmFamily& family, const GemmMachine& machine) {
  const double features = real(tile.features), tokens = real(tile.tokens);
  const double depth_bytes = real(family.k_step * family.element_bytes);
  const double rows = tile.token_rows ? tokens : features, columns = tile.token_rows ? features : tokens;
  const double issue = features * tokens * real(family.k_step) / (family.mma_per_cycle * machine.mma_efficiency);
  const double shared = (rows + std::ceil(rows / kMmaRows) * columns) * depth_bytes / machine.shared_bytes_per_cycle;
  const double loaded = (features / real(cluster.tokens) + tokens / real(cluster.features)) * depth_bytes;
  return joined(Seconds(std::max(issue, shared) / machine.clock.value()),
                Seconds(loaded / machine.operand_bytes_per_cycle / machine.clock.value()));
}

std::int64_t cluster_slots(Cluster cluster, std::int64_t sm_count) {
  const std::int64_t size = cluster.features * cluster.tokens;
  return std::max(sm_count / size * size, size);
}

Bytes compulsory_bytes(const GemmShape& shape, double element_bytes) {
  const double m = real(shape.m), n = real(shape.n), k = real(shape.k);
  return Bytes(element_bytes * (m * k + n * k) + kOutputBytes * m * n);
}

std::int64_t split_depth(std::int64_t k, std::int64_t split, std::int64_t k_step) {
  return cost::ceil_div(cost::ceil_div(k, split), k_step) * k_step;
}

Bytes split_workspace(const GemmShape& shape, const GemmTile& tile, std::int64_t split, std::int64_t partial_bytes) {
  if (split == 1) return Bytes(0.0);
  const std::int64_t rows = cost::ceil_div(shape.m, tile.tokens) * tile.tokens;
  const std::int64_t columns = cost::ceil_div(shape.n, tile.features) * tile.features;
  return Bytes(real(split) * real(rows) * real(columns) * real(partial_bytes));
}

TacticWork tactic_work(const GemmShape& shape, const GemmTile& tile, Cluster cluster, SplitCount split,
                       const GemmFamily& family, const GemmMachine& machine) {
  const std::int64_t across = cost::ceil_div(shape.n, tile.features), down = cost::ceil_div(shape.m, tile.tokens);
  const std::int64_t slots = cluster_slots(cluster, machine.sm_count);
  const std::int64_t launched = cost::ceil_div(across, cluster.features) * cluster.features *
                                cost::ceil_div(down, cluster.tokens) * cluster.tokens * split.parts;
  const double waves = real(cost::wave_count(launched, slots));
  const double steps = real(split_depth(shape.k, split.parts, family.k_step) / family.k_step);
  const Seconds tiled = waves * (steps * step_time(tile, cluster, family, machine) + machine.tile_fixed);
  const Seconds streamed = compulsory_bytes(shape, real(family.element_bytes)) / machine.hbm;
  TacticWork work;
  work.time = machine.launch + joined(tiled, streamed);
  if (split.parts > 1) {
    const Bytes moved(2.0 * real(split.parts) * real(shape.m) * real(shape.n) * real(split.partial_bytes));
    work.time += machine.reduction_fixed + moved / machine.reduction_rate;
  }
  work.tile_efficiency = cost::tile_efficiency(shape.m, shape.n, {tile.tokens, tile.features});
  work.wave_efficiency = real(across * down * split.parts) / (waves * real(slots));
  return work;
}

}  // namespace brink::plan
