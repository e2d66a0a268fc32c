#include <array>

#include "sim/world/i_ledger.h"

namespace brink::world {

const char* name(EventKind kind) {
  constexpr std::array names = {"condition",   "offered_load", "attestation", "throttle",   "collective_wait",
                                "slow_step",   "fallback",     "plan_switch", "batch_cut",  "batch_recovery",
                                "shaping",     "pin",          "preemption",  "regime_change", "slo_violation",
                                "failure"};
  return names[static_cast<std::size_t>(kind)];
}

}  // namespace brink::world
