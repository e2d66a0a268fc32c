#include "models/plan/gemm_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "models/base/random.h"
#include "models/cost/roofline.h"

namespace brink::plan {
namespace {

// A split part shorter than this many pipeline steps never fills the pipeline, and a grid of more than this many
// waves gains nothing from a split: neither is worth a timing.
constexpr double kSplitStepsMin = 4.0;
constexpr std::int64_t kSplitWavesMax = 2;
// Tactics slower than the fastest by more than this many standard deviations of the noise are never drawn.
constexpr double kNoiseReach = 8.0;

constexpr std::int64_t kMmaRows = 64, kColumnStep = 8;  // of a warp-group MMA (PTX ISA, wgmma)

double real(std::int64_t value) { return static_cast<double>(value); }
std::int64_t up(std::int64_t value, std::int64_t to) { return cost::ceil_div(value, to) * to; }

/// A shape's class for autotuning: graph sizes one by one, larger token counts by powers of two (tuned at warm-up).
std::uint64_t shape_class(const GemmShape& shape, std::size_t family) {
  constexpr std::int64_t kTunedOneByOne = 512;
  std::int64_t m = shape.m;
  if (m > kTunedOneByOne)
    for (m = kTunedOneByOne; m < shape.m;) m *= 2;
  ReductionSig mix = signature_hash(0, static_cast<std::uint64_t>(m));
  mix = signature_hash(mix, static_cast<std::uint64_t>(shape.n));
  mix = signature_hash(mix, static_cast<std::uint64_t>(shape.k));
  return signature_hash(mix, family);
}

}  // namespace

std::uint64_t name_hash(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

GemmSearch::GemmSearch(GemmCatalogue catalogue) : catalogue_(std::move(catalogue)) {
  for (const GemmFamily& family : catalogue_.families) {
    auto& tiles = prepared_.emplace_back();
    for (const GemmTile& tile : family.tiles) {
      auto& clusters = tiles.emplace_back();
      for (const Cluster cluster : tile.clusters)
        clusters.push_back({step_time(tile, cluster, family, catalogue_.machine),
                            cluster_slots(cluster, catalogue_.machine.sm_count)});
    }
  }
}

std::size_t GemmSearch::family(const GemmShape& shape, Precision precision) const {
  const auto fits = [&](const GemmFamily& family) {
    return family.precision == precision && shape.n % family.align_n == 0 && shape.k % family.align_k == 0;
  };
  return static_cast<std::size_t>(std::find_if(families().begin(), families().end(), fits) - families().begin());
}

bool GemmSearch::preferred(std::size_t family) const {
  return std::none_of(families().begin(), families().begin() + static_cast<std::ptrdiff_t>(family),
                      [&](const GemmFamily& earlier) { return earlier.precision == families()[family].precision; });
}

template <class Visit>
void GemmSearch::each_legal(const GemmShape& shape, std::size_t index, const GemmLimits& limits, const Seconds& cutoff,
                            Visit visit) const {
  const GemmFamily& family = families()[index];
  const GemmMachine& machine = catalogue_.machine;
  const Seconds streamed = compulsory_bytes(shape, real(family.element_bytes)) / machine.hbm;
  const std::int64_t rows = std::max(cost::ceil_div(shape.m, kColumnStep) * kColumnStep, kMmaRows);
  const std::size_t splits = limits.splits ? family.splits.size() : 1;
  std::array<double, GemmFamily::kSplitsMax> steps{};
  for (std::size_t s = 0; s < splits; ++s)
    steps[s] = real(split_depth(shape.k, family.splits[s], family.k_step) / family.k_step);
  for (std::size_t t = 0; t < family.tiles.size(); ++t) {
    const GemmTile& tile = family.tiles[t];
    const std::int64_t across = cost::ceil_div(shape.n, tile.features), down = cost::ceil_div(shape.m, tile.tokens);
    // A tile twice as high as the batch does nothing that one of half the height does not do sooner.
    if (down == 1 && tile.tokens >= 2 * rows) continue;
    const double padded = real(across * tile.features) * real(down * tile.tokens);
    for (std::size_t c = 0; c < tile.clusters.size(); ++c) {
      const Cluster cluster = tile.clusters[c];
      if (across < cluster.features || down < cluster.tokens) continue;  // nothing to share
      const Prepared& prepared = prepared_[index][t][c];
      const std::int64_t launched = up(across, cluster.features) * up(down, cluster.tokens);
      for (std::size_t s = 0; s < splits; ++s) {
        const std::int64_t split = family.splits[s];
        if (split > 1 && (launched * split > kSplitWavesMax * prepared.slots || steps[s] < kSplitStepsMin)) break;
        const Seconds tiled =
            real(cost::wave_count(launched * split, prepared.slots)) * (steps[s] * prepared.step + machine.tile_fixed);
        // The bounds alone decide most tactics, without the roots of the norm.
        const Seconds bound =
            machine.launch + std::max(tiled, streamed) + (split > 1 ? machine.reduction_fixed : Seconds(0.0));
        if (bound >= cutoff) continue;
        const Seconds main = machine.launch + joined(tiled, streamed);
        if (split == 1) {
          visit(GemmTactic{t, c, 0, 1}, main);
          continue;
        }
        for (std::size_t r = 0; r < family.reductions.size(); ++r) {
          const std::int64_t bytes = family.reductions[r].partial_bytes;
          if (Bytes(real(split) * padded * real(bytes)) > limits.workspace) continue;
          const Bytes moved(2.0 * real(split) * real(shape.m) * real(shape.n) * real(bytes));
          visit(GemmTactic{t, c, r, split}, main + machine.reduction_fixed + moved / machine.reduction_rate);
        }
      }
    }
  }
}

GemmTactic GemmSearch::fastest(const GemmShape& shape, std::size_t family, const GemmLimits& limits,
                               const TuningNoise& noise) const {
  GemmTactic best;
  Seconds least(std::numeric_limits<double>::infinity());
  each_legal(shape, family, limits, least, [&](const GemmTactic& tactic, Seconds time) {
    if (time < least) {
      least = time;
      best = tactic;
    }
  });
  return noise.relative > 0.0 ? tuned(shape, family, limits, noise, least) : best;
}

GemmTactic GemmSearch::tuned(const GemmShape& shape, std::size_t family, const GemmLimits& limits,
                             const TuningNoise& noise, Seconds fastest) const {
  const RandomStream stream(noise.seed, "gemm autotune");
  const std::uint64_t shape_key = shape_class(shape, family);
  GemmTactic best;
  double least = std::numeric_limits<double>::infinity();
  const Seconds reach = (1.0 + kNoiseReach * noise.relative) * fastest;
  each_legal(shape, family, limits, reach, [&](const GemmTactic& tactic, Seconds time) {
    const std::uint64_t which = ((tactic.tile * 256 + tactic.cluster) * 16 + tactic.reduction) * 2048 +
                                static_cast<std::uint64_t>(tactic.split);
    const double timed = time.value() * (1.0 + noise.relative * stream.normal({shape_key, noise.replica, which}));
    if (timed < least) {
      least = timed;
      best = tactic;
    }
  });
  return best;
}

bool GemmSearch::legal(const GemmShape& shape, std::size_t index, const GemmTactic& tactic,
                       const GemmLimits& limits) const {
  const GemmFamily& family = families()[index];
  if (shape.n % family.align_n != 0 || shape.k % family.align_k != 0) return false;
  if (tactic.split == 1) return true;
  return limits.splits && split_workspace(shape, family.tiles[tactic.tile], tactic.split,
                                          family.reductions[tactic.reduction].partial_bytes) <= limits.workspace;
}

TacticWork GemmSearch::work(const GemmShape& shape, std::size_t index, const GemmTactic& tactic) const {
  const GemmFamily& family = families()[index];
  const GemmTile& tile = family.tiles[tactic.tile];
  const std::int64_t partial_bytes = tactic.split > 1 ? family.reductions[tactic.reduction].partial_bytes : 0;
  return tactic_work(shape, tile, tile.clusters[tactic.cluster], {tactic.split, partial_bytes}, family,
                     catalogue_.machine);
}

std::string GemmSearch::name(std::size_t index, const GemmTactic& tactic) const {
  const GemmFamily& family = families()[index];
  const GemmTile& tile = family.tiles[tactic.tile];
  const Cluster cluster = tile.clusters[tactic.cluster];
  std::string text =
      fmt::format("{}/{}_{}x{}_{}x{}_{}x{}_{}", plan::name(family.precision), family.name, tile.features, tile.tokens,
                  family.k_step, tile.stages, cluster.features, cluster.tokens, tile.token_rows ? "TNN" : "TNT");
  if (tactic.split > 1) {
    text += fmt::format("_splitK{}", tactic.split);
    if (tactic.reduction > 0) text += "_" + family.reductions[tactic.reduction].name;
  }
  return text;
}

ReductionSig GemmSearch::signature(const GemmShape& shape, std::size_t index, const GemmTactic& tactic) const {
  const GemmFamily& family = families()[index];
  ReductionSig sig = signature_hash(name_hash(family.mma), static_cast<std::uint64_t>(family.promotion));
  if (family.exact || tactic.split == 1) return sig;
  const SplitReduction& reduction = family.reductions[tactic.reduction];
  sig = signature_hash(sig, static_cast<std::uint64_t>(tactic.split));
  sig = signature_hash(sig, static_cast<std::uint64_t>(split_depth(shape.k, tactic.split, family.k_step)));
  return signature_hash(sig, name_hash(reduction.partials));
}

bool GemmSearch::repeatable(std::size_t index, const GemmTactic& tactic) const {
  const GemmFamily& family = families()[index];
  return family.exact || tactic.split == 1 || family.reductions[tactic.reduction].deterministic;
}

}  // namespace brink::plan
