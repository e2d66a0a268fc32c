// Rank fidelity as a replica sees it: a step's collectives with every rank on its own.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/base/units.h"
#include "models/fabric/collective_program.h"
#include "sim/world/event.h"

namespace brink::world {

/// `count` equal collectives of one step.
struct StepCollective {
  std::shared_ptr<const fabric::CollectiveProgram> program;
  std::int64_t count = 1;
};

/// What the ranks of a group do in one step: each computes a share of its time, meets the others in a collective,
/// computes the next share, ... The shares of a rank are equal.
struct RankStep {
  std::vector<std::size_t> hosts;             // of each rank, by index into Platform::hosts
  std::vector<Seconds> compute;               // of each rank, all shares together
  std::vector<StepCollective> collectives;    // in the order they run
};

/// How a step went, by rank; times from its start.
struct RankOutcome {
  std::vector<Seconds> finish;   // end of the last collective
  std::vector<Seconds> waiting;  // in collectives, beyond what the rank spent there that waited least
};

class IRankFabric {
 public:
  virtual ~IRankFabric() = default;

  /// Starts the step now. `handler` gets (kind, ticket) when the last rank has finished; several steps may be under
  /// way. Returns the ticket. Throws std::invalid_argument when vectors differ in length, or a program in ranks.
  virtual std::uint64_t start(RankStep step, std::uint32_t component, EventHandler& handler, std::uint32_t kind) = 0;

  /// The outcome of a finished step, once.
  virtual RankOutcome take(std::uint64_t ticket) = 0;
};

/// The step with at most `collectives` collectives: runs of equal ones become one of as many times the alphas and
/// bytes. The same end of the step where sharing does not change within a run; the cost of a step falls with it.
[[nodiscard]] RankStep coalesced(RankStep step, std::int64_t collectives);

}  // namespace brink::world
