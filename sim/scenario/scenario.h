// A scenario: the one description of a run, checked and with every default filled in.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "models/base/units.h"
#include "models/plan/gemm_catalogue.h"
#include "sim/scenario/condition.h"
#include "sim/scenario/inputs.h"
#include "sim/scenario/read_control.h"
#include "sim/scenario/read_disaggregation.h"
#include "sim/scenario/read_drift.h"
#include "sim/scenario/read_engine.h"
#include "sim/scenario/read_hypotheses.h"
#include "sim/scenario/read_observe.h"
#include "sim/scenario/read_regimes.h"
#include "sim/scenario/read_security.h"
#include "sim/scenario/read_shaping.h"
#include "sim/telemetry/collector.h"

namespace brink::scenario {

struct Scenario {
  std::string name;
  std::uint64_t seed = 0;
  std::string base_dir;          // where its relative paths start
  Inputs inputs;                 // the model already served in the engine's dtype
  EngineSettings engine;         // with disaggregation that of one prefill replica, as is the budget
  memory::MemoryBudget budget;   // one rank's card; checked to hold the layout
  std::optional<DisaggregationSettings> disaggregation;
  Json workload;                 // as given, in canonical order
  std::string router;
  ControlSettings control;
  ShapingSettings shaping;
  SecuritySettings security;
  std::vector<Condition> conditions;
  Hypotheses hypotheses;
  ObserveSettings observe;
  RegimeSettings regimes;
  DriftSettings drift;
  plan::GemmCatalogue gemm_tactics;
  telemetry::SloLimits slo;      // NaN: no limit
  telemetry::OutputOptions output;
  Seconds warmup{0.0};
  Json model, cluster, profile, tactics;  // as given: a path, or the object in canonical order
};

/// Reads a scenario file. `settings` ("POINTER=VALUE") are applied in order before it is
/// checked; `seed` replaces /seed. Throws ConfigError (file and pointer named), and TraceError
/// when the workload's trace cannot be used.
[[nodiscard]] Scenario load_scenario(const std::string& path, const std::vector<std::string>& settings = {},
                                     std::optional<std::uint64_t> seed = std::nullopt);

/// What `pool` of a disaggregated scenario runs, as a scenario of its own. Parts that are not the engine's stay.
[[nodiscard]] Scenario pool_scenario(const Scenario& scenario, const PoolSettings& pool);

/// The same from parsed JSON. `base_dir` is where relative paths start; `default_name` names a
/// scenario that has no /name.
[[nodiscard]] Scenario read_scenario(Json json, const std::string& base_dir,
                                     const std::vector<std::string>& settings = {},
                                     std::optional<std::uint64_t> seed = std::nullopt,
                                     const std::string& default_name = "scenario");

/// The scenario with every default filled in, in a fixed order: running it again gives the same
/// result. Paths stay as they were given; the provenance holds the hashes of what they name.
[[nodiscard]] Json resolved(const Scenario& scenario);

}  // namespace brink::scenario
