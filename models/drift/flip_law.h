// From changed logits to another token: the flip law.
#pragma once

#include <cstdint>

#include "models/base/units.h"
#include "models/drift/arithmetic.h"

namespace brink::drift {

/// Differences of logits; and probability density over them.
using Nats = Quantity<struct NatsTag>;
using PerNat = Quantity<struct PerNatTag>;

/// Distribution of |Delta|, how far a change of order moves the margin between the two most likely tokens.
enum class DeltaShape : std::uint8_t { half_normal, exponential };
[[nodiscard]] const char* name(DeltaShape shape);

/// A token flips when the margin g between the two most likely ones is smaller than |Delta| and the shift points the
/// wrong way: p = 1/2 E[P(g < |Delta|)], with P(g <= x) = min(1, rho x) (ReproFuse; Cooper et al.).
struct FlipLaw {
  /// rho. Published: 0.06 to 0.17 per nat, for margins below 0.1 nats.
  PerNat margin_density{0.10};
  Nats delta_median{6.3e-2};
  DeltaShape shape = DeltaShape::half_normal;
  /// q = P(Delta != 0 | the order of summation or the KV lineage differs): one constant for all models and loads.
  /// Fitted, see docs/model/drift.md: same-GPU batch changes leave 95 to 99 % of positions bitwise equal and 6 to 25 %
  /// of streams diverge. At 1000 tokens that allows 0.028 to 0.045 over the published densities; this is the middle.
  double changed_share = 0.035;

  /// E|Delta| where it is not 0.
  [[nodiscard]] Nats delta_mean() const;
  /// p: the token flips, given that its logits changed.
  [[nodiscard]] double flip_if_changed() const;
  /// q p: the token flips, given only that its order or lineage differs.
  [[nodiscard]] double hazard() const { return changed_share * flip_if_changed(); }
};

/// Median |Delta| of a model that computes and stores in `arithmetic`.
/// Measured: BF16 6.3e-2, FP32 1.8e-5 to 3.6e-5 (their geometric mean is taken). The other formats lie on the power law
/// through these two, u^0.705 in the unit roundoff u: an exponent between 1/2 (every flip of a stored bit is as rare as
/// FP32 differences are small) and 1 (every stored value is off by its own rounding). INT8: 0.
[[nodiscard]] Nats delta_median_of(Arithmetic arithmetic);

}  // namespace brink::drift
