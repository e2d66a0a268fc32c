#include "sim/scenario/read_drift.h"

namespace brink::scenario {

DriftSettings read_drift(ObjectReader& scenario) {
  DriftSettings out;
  if (!scenario.has("drift")) return out;
  ObjectReader in = scenario.object("drift");
  out.margin_density = drift::PerNat(in.number_or("rho_per_nat", out.margin_density.value(), Range{0.0, 10.0, true, "per nat"}));
  if (in.has("delta_median_nats")) {
    out.delta_median = drift::Nats(in.number("delta_median_nats", Range{0.0, 10.0, false, "nats"}));
  }
  if (in.has("changed_share")) out.changed_share = in.number("changed_share", Range{0.0, 1.0, false, "share of positions"});
  const std::string half_normal = drift::name(drift::DeltaShape::half_normal);
  const std::string exponential = drift::name(drift::DeltaShape::exponential);
  if (in.choice_or("delta_shape", {half_normal, exponential}, half_normal) == exponential) {
    out.shape = drift::DeltaShape::exponential;
  }
  out.early.tokens = in.integer_or("early_tokens", out.early.tokens, Range{1.0, 1e6, false, "tokens"});
  out.early.flips = in.number_or("early_flip_budget", out.early.flips, Range{0.0, 1.0, true, "probability"});
  in.finish();
  return out;
}

Json to_json(const DriftSettings& drift) {
  Json out = Json::object();
  out.set("rho_per_nat", drift.margin_density.value());
  out.set("delta_median_nats", drift.delta_median ? Json(drift.delta_median->value()) : Json());
  out.set("changed_share", drift.changed_share ? Json(*drift.changed_share) : Json());
  out.set("delta_shape", drift::name(drift.shape));
  out.set("early_tokens", drift.early.tokens);
  out.set("early_flip_budget", drift.early.flips);
  return out;
}

drift::FlipLaw flip_law(const DriftSettings& settings, const cost::MeasuredDrift* measured, drift::Arithmetic arithmetic) {
  drift::FlipLaw out;
  out.margin_density = settings.margin_density;
  out.shape = settings.shape;
  out.delta_median = drift::delta_median_of(arithmetic);
  if (measured != nullptr && measured->margin_delta() > 0.0) {
    out.delta_median = drift::Nats(measured->margin_delta());
    out.changed_share = measured->changed_share();
  }
  if (settings.delta_median) out.delta_median = *settings.delta_median;
  if (settings.changed_share) out.changed_share = *settings.changed_share;
  return out;
}

}  // namespace brink::scenario
