// What the GEMM library chose, how long it took and which bits came out, from the groups `gemm`,
// `gemm_bits` and `norm`.
#pragma once

#include <string>
#include <vector>

#include "calibrate/kernel_calibration.h"
#include "calibrate/microkernel/results.h"
#include "models/cost/gemm_tactics.h"

namespace brink::calibrate {

/// Empty tables where a group was not measured. Throws TraceError for a point that cannot be used.
[[nodiscard]] cost::GemmTactics read_tactics(const MicrokernelResults& results);

/// GEMM times of the tactics that the library chooses under the largest workspace, on the grid of row counts
/// that nearly every shape was measured at. A surface needs every shape at every m: where the largest
/// products were left out for their size, the time grows in proportion to m from the last measured one,
/// as compute-bound products do.
struct GemmTimes {
  std::vector<GemmRow> rows;
  std::vector<std::string> continued;  ///< "m=8192 n=.. k=..": rows that were not measured
};
[[nodiscard]] GemmTimes read_gemm_times(const cost::GemmTactics& tactics);

}  // namespace brink::calibrate
