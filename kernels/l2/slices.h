#pragma once

#include <vector>

namespace brink::kernels {

/// Latencies of cache lines as each SM sees them, divided into two kinds: lines of the L2 half the
/// SM sits at, and lines of the other half.
struct SliceSplit {
  double near_cycles = 0;  ///< mean of the lower kind
  double far_cycles = 0;   ///< mean of the upper kind; equal to near_cycles if all are the same
  double far_share = 0;    ///< of the (SM, line) pairs
  double separation = 0;   ///< (far - near) / pooled standard deviation; above about 4 the split is real
  int sm_classes = 0;      ///< groups of SMs that see the same lines near: two on a chip of two halves
  std::vector<double> sm_mean_cycles;
};

/// `cycles[sm * lines + line]`. Two means in one dimension (Lloyd's algorithm from the extremes).
/// SMs belong to one class if they agree on the kind of at least 90 % of the lines.
SliceSplit split_slices(const std::vector<double>& cycles, int sms, int lines);

}  // namespace brink::kernels
