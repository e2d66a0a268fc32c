// What acts on a replica from outside its engine, and who follows it. Everything may be absent.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "models/base/units.h"
#include "sim/policy/i_controller.h"
#include "sim/serving/i_drift_tracker.h"
#include "sim/serving/i_handover.h"
#include "sim/serving/i_step_conditions.h"
#include "sim/serving/journal.h"

namespace brink::serving {

/// Scratch memory that kernels find at this moment.
class IWorkspace {
 public:
  virtual ~IWorkspace() = default;
  [[nodiscard]] virtual Bytes workspace(std::int64_t kv_blocks_used) = 0;
};

struct Surroundings {
  IStepConditions* conditions = nullptr;          // of the whole run; outlives the replica
  std::unique_ptr<policy::IController> controller;
  std::unique_ptr<IWorkspace> workspace;          // absent: EngineConfig::workspace always
  std::unique_ptr<Journal> journal;
  std::function<std::unique_ptr<IDriftTracker>()> make_drift;  // one a lane; empty: drift is not followed
  std::optional<Seconds> measure_load;            // over so long, for who shapes requests
  std::int32_t tenants = 1;                       // more than one: no batch mixes them
  Seconds ready{0.0};                             // steps begin no earlier
  IHandover* handover = nullptr;                  // with disaggregation; outlives the replica
  bool prefills_only = false;                     // prompts leave through it; else they may come in
};

}  // namespace brink::serving
