#pragma once

#include <cstdint>
#include <vector>

#include "kernels/runner/chase.h"
#include "kernels/runner/session.h"

namespace brink::kernels {

struct ChaseOptions {
  ChaseLayout layout;
  int lanes = 1;                     ///< of one warp, each on its own chain; the warp waits for the slowest
  std::uint64_t hops = 4096;         ///< a sample
  std::uint64_t warm_up_hops = 0;    ///< before each sample, untimed, by the same warp
  bool warm_up_read = false;         ///< before each sample every line is read by the whole GPU
  StopRule stop{0.005, 9, 60, 0.25};
};

struct ChaseResult {
  Timing timing;  ///< of one hop, by the device's own timer: no launch is in it
  double cycles_per_hop = 0;
};

/// Writes the chain into `memory` (at least layout.bytes()), chases it and checks where every lane
/// ends. Every sample starts elsewhere in the cycle: the same few lines again and again would stay
/// cached whatever the reach. Loads bypass the L1 (ld.global.cg).
ChaseResult chase(Session& session, unsigned char* memory, const ChaseOptions& options);

}  // namespace brink::kernels
