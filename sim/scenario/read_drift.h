// /drift: from changed orders of summation to changed tokens.
#pragma once

#include <optional>

#include "models/base/object_reader.h"
#include "models/cost/measured_drift.h"
#include "models/drift/flip_law.h"
#include "sim/telemetry/drift_early.h"

namespace brink::scenario {

/// What the scenario gives; the rest follows from the profile and the arithmetic of the model.
struct DriftSettings {
  drift::PerNat margin_density{0.10};
  drift::DeltaShape shape = drift::DeltaShape::half_normal;
  std::optional<drift::Nats> delta_median;
  std::optional<double> changed_share;
  telemetry::EarlyBudget early;
};

/// Reads the scenario's /drift (the published law when absent). Throws ConfigError with the pointer of the field.
[[nodiscard]] DriftSettings read_drift(ObjectReader& scenario);
[[nodiscard]] Json to_json(const DriftSettings& drift);

/// The law of a run: what the scenario gives, else what the profile measured (null: nothing), else the published one
/// for `arithmetic`.
[[nodiscard]] drift::FlipLaw flip_law(const DriftSettings& settings, const cost::MeasuredDrift* measured,
                                      drift::Arithmetic arithmetic);

}  // namespace brink::scenario
