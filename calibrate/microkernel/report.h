// What a fit came to, for people (text) and for programs (JSON).
#pragma once

#include <string>
#include <vector>

#include "calibrate/microkernel/fit.h"
#include "models/base/json.h"

namespace brink::calibrate {

/// How closely a held-out prediction must come on average.
struct FitBar {
  std::string prefix;  ///< of the groups it holds for
  double mape = 0.0;   ///< fraction
};
/// GEMM 5 %, attention 6 %, memory curves 5 %.
[[nodiscard]] const std::vector<FitBar>& fit_bars();

/// {"schema_version", "machine", "measured_sections", "carried_sections", "groups": [{group, held_out, count, mape,
/// p95, worst, bar, met}], "parameters", "notes"}.
[[nodiscard]] Json report_json(const MicrokernelFit& fit);
/// The same as text of at most 120 columns.
[[nodiscard]] std::string report_text(const MicrokernelFit& fit);

}  // namespace brink::calibrate
