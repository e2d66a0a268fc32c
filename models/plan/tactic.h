// What one operator of a step runs as. Two identities, because a change of tactic is not always a change of
// summation order: `tactic_id` decides the time, `reduction_sig` the bits (vLLM, model_executor/layers/
// batch_invariant.py: on Hopper only split-K of cuBLAS's choices changes the order).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace brink::plan {

/// Index into a run's TacticNames.
using TacticId = std::uint32_t;
/// Equal values sum in the same order and round at the same places. Built with signature_hash().
using ReductionSig = std::uint64_t;

enum class Precision : std::uint8_t { fp32, tf32, bf16, fp16, fp8, int8, w4a16 };
[[nodiscard]] const char* name(Precision precision);

/// Why an operator does not run as it would unconstrained.
enum class Fallback : std::uint8_t {
  none,
  workspace,        // the fastest tactic needs more scratch memory than there is
  alignment,        // a dimension is not a multiple of what the kernel needs
  quantised_shape,  // the quantised kernel has no legal tile: dequantised first
  uncaptured,       // outside a CUDA graph
  nvls_buffers,     // multicast buffers could not be allocated
  batch_invariant,  // asked for: one order whatever the batch
  isolation,        // sharing is not allowed
  hypothesis,       // a switch of /hypotheses
};
[[nodiscard]] const char* name(Fallback fallback);

/// An operator as it will run.
struct Choice {
  TacticId tactic_id = 0;
  ReductionSig reduction_sig = 0;
  bool repeatable = true;       // the same bits when run twice; atomics are not
  Precision precision = Precision::bf16;
  Fallback fallback = Fallback::none;
  /// Time over that of the tactic which the profile's tables timed for this shape (what the engine chooses with
  /// its default workspace); 1 for that tactic itself.
  double relative_time = 1.0;
  double tile_efficiency = 1.0;  // useful part of the tiles, (0, 1]
  double wave_efficiency = 1.0;  // occupied part of the waves, (0, 1]
  bool measured = false;        // chosen by the profile's measured tactics, not by a model
};

/// Names of the tactics seen in a run, numbered in the order they were first asked for.
class TacticNames {
 public:
  TacticId intern(std::string_view name);
  [[nodiscard]] const std::string& operator[](TacticId id) const { return names_[id]; }
  [[nodiscard]] std::size_t size() const { return names_.size(); }
  /// A number for the next part of a plan, whoever makes it.
  std::uint32_t next_part() { return parts_++; }

 private:
  std::uint32_t parts_ = 0;
  std::vector<std::string> names_;
  std::map<std::string, TacticId, std::less<>> ids_;
};

/// Mixes `part` into a signature; order matters. The same on every machine (splitmix64's finaliser, Steele,
/// Lea and Flood, OOPSLA 2014).
[[nodiscard]] constexpr ReductionSig signature_hash(ReductionSig sig, std::uint64_t part) {
  std::uint64_t z = sig + 0x9e3779b97f4a7c15ULL + part * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace brink::plan
