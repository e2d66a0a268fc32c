#include "models/plan/gemm_selector.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "models/cost/roofline.h"
#include "models/plan/cutlass_dispatch.h"
#include "models/plan/deepgemm.h"
#include "models/plan/gemm_quantised.h"
#include "models/plan/gemm_time.h"
#include "models/plan/marlin.h"

namespace brink::plan {
namespace {

constexpr std::int64_t kScalarRows = 17;        // the batch the hypothesis is about
constexpr double kInvariantWorkspace = 1024.0;  // bytes: too little for any split (vLLM batch_invariant.py)
constexpr std::int64_t kInvariantTile = 128;    // side of the fixed tile

/// The tile nearest to the fixed one (its area at most, then the squarest), in clusters of two as CUTLASS's default
/// sm90 kernel has.
GemmTactic fixed_tactic(const GemmFamily& family) {
  GemmTactic best;
  std::int64_t area = 0, skew = 0;
  for (std::size_t i = 0; i < family.tiles.size(); ++i) {
    const GemmTile& tile = family.tiles[i];
    const std::int64_t tile_area = tile.features * tile.tokens, tile_skew = std::abs(tile.features - tile.tokens);
    if (tile_area > kInvariantTile * kInvariantTile || tile_area < area || (tile_area == area && tile_skew >= skew))
      continue;
    best.tile = i;
    area = tile_area;
    skew = tile_skew;
  }
  const std::vector<Cluster>& clusters = family.tiles[best.tile].clusters;
  for (std::size_t c = 0; c < clusters.size(); ++c)
    if (clusters[c].features == 2 && clusters[c].tokens == 1) best.cluster = c;
  return best;
}

}  // namespace

GemmSelector::GemmSelector(GemmCatalogue catalogue, GemmSelectorOptions options, TacticNames& names,
                           std::shared_ptr<const cost::GemmTactics> measured)
    : search_(std::move(catalogue)), options_(options), names_(names), measured_(std::move(measured)) {}

GemmLimits GemmSelector::limits(const GemmState& state) const {
  if (!options_.batch_invariant) return {state.workspace, true};
  return {std::min(state.workspace, Bytes(kInvariantWorkspace)), false};
}

GemmLimits GemmSelector::default_limits() const { return {search_.catalogue().default_workspace, true}; }

Choice GemmSelector::choose(const GemmProblem& problem, const GemmState& state) const {
  if (problem.m < 1 || problem.n < 1 || problem.k < 1) throw std::invalid_argument("GEMM: m, n and k are at least 1");
  const GemmShape shape{problem.m, problem.n, problem.k};
  const std::int64_t live = state.live_rows > 0 ? state.live_rows : problem.m;
  if (options_.scalar_fp16_at_17 && live == kScalarRows) return scalar(problem);
  switch (problem.precision) {
    case Precision::fp8:
      if (problem.scales == ScaleShape::block_128) return fp8_block(shape, state);
      if (options_.fp8_library == Fp8Library::cutlass) return cutlass(shape, problem.precision, state);
      if (search_.family(shape, Precision::fp8) < search_.families().size())
        return from_catalogue(shape, problem.precision, state);
      return dequantised(shape, problem.precision, cutlass_time(shape, problem.precision, search_.catalogue()), state);
    case Precision::int8:
      return cutlass(shape, problem.precision, state);
    case Precision::w4a16:
      return marlin(shape, state);
    default:
      return from_catalogue(shape, problem.precision, state);
  }
}

GemmTactic GemmSelector::tactic(const GemmShape& shape, std::size_t family, const GemmLimits& limits) const {
  if (options_.batch_invariant && options_.fixed_tile) return fixed_tactic(search_.families()[family]);
  TuningNoise noise;
  if (options_.autotune) noise = {options_.autotune_noise, options_.seed, options_.replica};
  return search_.fastest(shape, family, limits, noise);
}

Choice GemmSelector::from_catalogue(const GemmShape& shape, Precision precision, const GemmState& state) const {
  std::size_t family = search_.family(shape, precision);
  // A precision without tactics of its own runs at the time of bf16, the one every catalogue has.
  const bool borrowed = family == search_.families().size();
  if (borrowed) family = search_.family(shape, Precision::bf16);
  const GemmLimits allowed = limits(state);
  const GemmTactic chosen = tactic(shape, family, allowed);
  const TacticWork work = search_.work(shape, family, chosen);

  Choice choice;
  choice.precision = precision;
  choice.reduction_sig = search_.signature(shape, family, chosen);
  if (borrowed) choice.reduction_sig = signature_hash(choice.reduction_sig, name_hash(plan::name(precision)));
  choice.repeatable = search_.repeatable(family, chosen);
  choice.tile_efficiency = work.tile_efficiency;
  choice.wave_efficiency = work.wave_efficiency;
  if (!search_.preferred(family)) choice.fallback = Fallback::alignment;
  if (options_.batch_invariant || options_.autotune || state.workspace != search_.catalogue().default_workspace) {
    const GemmTactic usual = search_.fastest(shape, family, default_limits());
    choice.relative_time = work.time / search_.work(shape, family, usual).time;
    if (chosen != usual && choice.fallback == Fallback::none) {
      if (options_.batch_invariant)
        choice.fallback = Fallback::batch_invariant;
      else if (!search_.legal(shape, family, usual, allowed))
        choice.fallback = Fallback::workspace;
    }
  }
  if (const auto measured = look_up(shape, precision, allowed)) return from_measured(choice, *measured);
  choice.tactic_id = names_.intern(borrowed ? std::string(plan::name(precision)) + " as " + search_.name(family, chosen)
                                            : search_.name(family, chosen));
  return choice;
}

std::optional<MeasuredChoice> GemmSelector::look_up(const GemmShape& shape, Precision precision,
                                                    const GemmLimits& limits) const {
  if (measured_ == nullptr || (options_.batch_invariant && options_.fixed_tile)) return std::nullopt;
  if (precision != Precision::bf16 && precision != Precision::fp8) return std::nullopt;
  const cost::GemmType type = precision == Precision::bf16 ? cost::GemmType::bf16 : cost::GemmType::fp8;
  const Bytes usual = search_.catalogue().default_workspace;
  std::optional<MeasuredChoice> found;
  if (options_.autotune && !options_.batch_invariant)
    found = measured_autotune(*measured_, type, shape, limits.workspace, usual,
                              {options_.autotune_noise, options_.seed, options_.replica});
  if (!found) found = measured_choice(*measured_, type, shape, limits.workspace, usual);
  if (found && !limits.splits && found->split > 1) return std::nullopt;  // invariance is asked for, not measured
  return found;
}

Choice GemmSelector::from_measured(Choice modelled, const MeasuredChoice& measured) const {
  Choice choice = modelled;  // the efficiencies, and the time where it was not measured, stay the model's
  choice.tactic_id = names_.intern(measured.name);
  choice.reduction_sig = measured.signature;
  choice.repeatable = measured.deterministic;
  choice.measured = true;
  if (measured.relative_time) choice.relative_time = *measured.relative_time;
  if (modelled.fallback == Fallback::batch_invariant || modelled.fallback == Fallback::workspace)
    choice.fallback = Fallback::none;
  if (!measured.as_default && choice.fallback == Fallback::none && !options_.autotune)
    choice.fallback = options_.batch_invariant ? Fallback::batch_invariant : Fallback::workspace;
  return choice;
}

Choice GemmSelector::fp8_block(const GemmShape& shape, const GemmState& state) const {
  if (!deepgemm_legal(shape.n, shape.k))
    return dequantised(shape, Precision::fp8, deepgemm_time(shape, search_.catalogue()), state);
  const DeepGemmTile tile = deepgemm_tile(shape.m, shape.n, shape.k, Precision::fp8, search_.catalogue().sm_count);
  const TacticWork work = quantised_work(shape, tile.tile(), Precision::fp8, search_.catalogue());
  Choice choice;
  choice.tactic_id = names_.intern(tile.name(Precision::fp8));
  choice.reduction_sig = quantised_signature(Precision::fp8, 128);
  choice.precision = Precision::fp8;
  choice.tile_efficiency = work.tile_efficiency;
  choice.wave_efficiency = work.wave_efficiency;
  return choice;
}

Choice GemmSelector::cutlass(const GemmShape& shape, Precision precision, const GemmState& state) const {
  if (!cutlass_legal(shape.n, shape.k))
    return dequantised(shape, precision, cutlass_time(shape, precision, search_.catalogue()), state);
  const CutlassKernel kernel =
      precision == Precision::fp8 ? cutlass_fp8(shape.m, shape.n) : cutlass_int8(shape.m, shape.n);
  const TacticWork work = quantised_work(shape, kernel.tile(), precision, search_.catalogue());
  Choice choice;
  choice.tactic_id = names_.intern(kernel.name(precision));
  choice.reduction_sig = quantised_signature(precision, 0);
  choice.precision = precision;
  choice.tile_efficiency = work.tile_efficiency;
  choice.wave_efficiency = work.wave_efficiency;
  return choice;
}

Choice GemmSelector::marlin(const GemmShape& shape, const GemmState& state) const {
  if (!marlin_legal(shape.n, shape.k))
    return dequantised(shape, Precision::w4a16, marlin_time(shape, search_.catalogue()), state);
  // Its stripes follow the number of passes, so no setting of it sums alike for every m: dequantise instead.
  if (options_.batch_invariant) {
    Choice choice = dequantised(shape, Precision::w4a16, marlin_time(shape, search_.catalogue()), state);
    choice.fallback = Fallback::batch_invariant;
    return choice;
  }
  const MarlinKernel kernel =
      marlin_kernel(shape.m, shape.n, shape.k, search_.catalogue().sm_count, options_.marlin_atomics);
  Choice choice;
  choice.tactic_id = names_.intern(kernel.name());
  choice.reduction_sig = kernel.signature();
  choice.repeatable = !kernel.atomics;
  choice.precision = Precision::w4a16;
  const GemmTile tile = kernel.tile();
  choice.tile_efficiency = cost::tile_efficiency(shape.m, shape.n, {tile.tokens, tile.features});
  const std::int64_t units = (shape.k / kernel.tile_k) * (shape.n / kernel.tile_n) * kernel.passes;
  choice.wave_efficiency = cost::wave_efficiency(units, search_.catalogue().sm_count);
  return choice;
}

Choice GemmSelector::dequantised(const GemmShape& shape, Precision precision, Seconds quantised,
                                 const GemmState& state) const {
  const std::size_t family = search_.family(shape, Precision::bf16);
  const GemmTactic chosen = tactic(shape, family, limits(state));
  const TacticWork work = search_.work(shape, family, chosen);
  Choice choice;
  choice.tactic_id =
      names_.intern(std::string("dequantise_") + plan::name(precision) + "+" + search_.name(family, chosen));
  choice.reduction_sig = signature_hash(search_.signature(shape, family, chosen), name_hash(plan::name(precision)));
  choice.repeatable = search_.repeatable(family, chosen);
  choice.precision = Precision::bf16;
  choice.fallback = Fallback::quantised_shape;
  choice.relative_time = (dequantise_time(shape, precision, search_.catalogue().machine) + work.time) / quantised;
  choice.tile_efficiency = work.tile_efficiency;
  choice.wave_efficiency = work.wave_efficiency;
  return choice;
}

Seconds GemmSelector::usual_time(const GemmProblem& problem) const {
  const GemmShape shape{problem.m, problem.n, problem.k};
  const GemmCatalogue& catalogue = search_.catalogue();
  const bool from_library = problem.precision == Precision::fp8 && options_.fp8_library == Fp8Library::cublaslt;
  if (problem.precision == Precision::w4a16) return marlin_time(shape, catalogue);
  if (problem.precision == Precision::fp8 && problem.scales == ScaleShape::block_128)
    return deepgemm_time(shape, catalogue);
  if (problem.precision == Precision::int8 || (problem.precision == Precision::fp8 && !from_library))
    return cutlass_time(shape, problem.precision, catalogue);
  std::size_t family = search_.family(shape, problem.precision);
  if (family == search_.families().size()) family = search_.family(shape, Precision::bf16);
  return search_.work(shape, family, search_.fastest(shape, family, default_limits())).time;
}

Choice GemmSelector::scalar(const GemmProblem& problem) const {
  const ScalarKernel kernel = scalar_kernel({problem.m, problem.n, problem.k}, search_.catalogue().machine);
  Choice choice;
  choice.tactic_id = names_.intern("hypothesis/scalar_fp16");
  choice.reduction_sig = signature_hash(name_hash("hfma.f16"), name_hash(plan::name(problem.precision)));
  choice.precision = Precision::fp16;
  choice.fallback = Fallback::hypothesis;
  choice.relative_time = kernel.time / usual_time(problem);
  choice.tile_efficiency = kernel.tile_efficiency;
  choice.wave_efficiency = kernel.wave_efficiency;
  return choice;
}

}  // namespace brink::plan
