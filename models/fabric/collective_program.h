// A collective as phases: who sends how much to whom, after which delay. The closed form (collective_time.h) and the
// simulation of every rank read the same phases.
#pragma once

#include <cstdint>
#include <vector>

#include "models/base/units.h"
#include "models/fabric/collective.h"

namespace brink::fabric {

struct Transfer {
  std::int32_t from = 0, to = 0;  // ranks
  Bytes size{0.0};                // on the wire

  bool operator==(const Transfer&) const = default;
};

/// Every rank that sends or receives waits `alpha`, then the transfers run together; it goes on when its own are done.
struct Phase {
  Seconds alpha{0.0};
  std::vector<Transfer> transfers;
};

struct CollectiveProgram {
  std::int64_t ranks = 0;
  std::vector<Phase> phases;

  [[nodiscard]] Seconds alpha() const;  // of all phases
  [[nodiscard]] Bytes traffic() const;  // of all transfers
};

/// What a step of an algorithm costs before its bytes flow.
struct HopAlphas {
  Seconds base{0.0};   // once: launch and set-up
  Seconds intra{0.0};  // a hop inside a node
  Seconds inter{0.0};  // a hop between nodes
};

/// Pipelined algorithms (tree, NVLS tree) stream chunks through all their hops at once: hop i is a phase that costs
/// its alpha and in which every edge carries its share of the stream, so that the whole is the sum of the hops'
/// alphas and one passage of the bytes (latency + bytes / bandwidth, NCCL src/graph/tuning.cc).
/// Rings and trees of several nodes stand for one channel a GPU, each leaving the node by its own NIC.
/// Throws std::invalid_argument for a combination that supports() denies and for negative sizes.
[[nodiscard]] CollectiveProgram make_program(const Collective& collective, const HopAlphas& alphas);

/// The same phases with every alpha and every size times `factor`: a measured time over the closed form's, or a
/// run of equal collectives as one.
[[nodiscard]] CollectiveProgram scaled(CollectiveProgram program, double factor);

}  // namespace brink::fabric
