// Two claims about late ranks that the evidence does not support, as switches (docs/hypotheses). Off: absent.
#pragma once

#include <optional>

#include "models/base/units.h"

namespace brink::conditions {

/// A collective that a rank enters later than `threshold` is sent again. Evidence: the others wait, nothing is resent
/// below the transport's time-out of seconds (NCCL environment variables, NCCL_IB_TIMEOUT).
struct LateRankRetransmit {
  Seconds threshold{1e-3};
  Seconds retry{1e-3};  // on top of the collective's own time
};

/// Stalled warps make kernels spill registers, which stalls them more: each second of a rank's lateness brings
/// `gain` more. Evidence: spills are fixed when a kernel is compiled.
struct RunTimeSpills {
  double gain = 0.2;    // < 1: the series converges
};

struct TimingHypotheses {
  std::optional<LateRankRetransmit> retransmit;
  std::optional<RunTimeSpills> spills;
};

}  // namespace brink::conditions
