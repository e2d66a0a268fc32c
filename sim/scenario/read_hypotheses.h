// /hypotheses: claims that the evidence does not support, each a switch that is off unless asked for. A run with one
// on says so on everything it shows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/base/object_reader.h"
#include "sim/conditions/forced_evaporation.h"
#include "sim/conditions/mid_collective_eviction.h"
#include "sim/conditions/timing_hypotheses.h"

namespace brink::scenario {

/// A switch that is on.
struct ActiveHypothesis {
  std::string name;   // its key in /hypotheses
  std::string claim;  // one sentence, for the banner
  std::string page;   // docs/hypotheses/<name>.md
};

struct Hypotheses {
  bool scalar_fp16_at_17 = false;
  bool length_2047_changes_splits = false;
  bool free_memory_changes_tactics = false;
  bool collectives_keep_order = false;
  bool per_rank_fragmentation_diverges = false;
  conditions::TimingHypotheses timing;  // late_rank_is_retransmit, spills_at_run_time
  std::optional<conditions::MidCollectiveEvictionSettings> kv_evicted_mid_collective;  // its seed is the run's to set
  std::optional<conditions::ForcedEvaporationSettings> isr_threshold_512;

  /// In the order of the table; empty in an honest run.
  [[nodiscard]] std::vector<ActiveHypothesis> active() const;
};

/// Reads the scenario's /hypotheses (none when absent). A value is true, false, or an object of the claim's parameters,
/// which switches it on. Throws ConfigError with the pointer of the field.
[[nodiscard]] Hypotheses read_hypotheses(ObjectReader& scenario);

/// Every switch, with its parameters where it is on.
[[nodiscard]] Json to_json(const Hypotheses& hypotheses);

}  // namespace brink::scenario
