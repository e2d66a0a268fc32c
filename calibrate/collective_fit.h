// Fits collective curves, and holds out message sizes one at a time.
#pragma once

#include <vector>

#include "calibrate/tables.h"
#include "calibrate/validation.h"
#include "models/cost/all_reduce_cost.h"

namespace brink::calibrate {

/// The curve of rows of one backend, operation and GPU count, in any order. Throws Error for fewer than three sizes.
[[nodiscard]] cost::CollectiveCurve fit_collective_curve(const std::vector<CollectiveRow>& rows);

/// One cost for each backend and operation among the rows.
[[nodiscard]] std::vector<cost::CollectiveCost> fit_collectives(const std::vector<CollectiveRow>& rows);

/// Groups "all_reduce_custom_graph", "all_reduce_custom_eager", "all_reduce_nccl", "all_gather_nccl", ...
/// Held out: every size in turn, its curve fitted to the others.
void validate_collectives(const std::vector<CollectiveRow>& rows, const std::vector<cost::CollectiveCost>& fitted, std::vector<ValidationRow>& out);

}  // namespace brink::calibrate
