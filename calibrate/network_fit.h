// Fits send/recv between two GPUs, and compares collectives with what was never fitted: another machine's
// measurements, and sourced latencies over two nodes.
#pragma once

#include <string>
#include <vector>

#include "calibrate/tables.h"
#include "calibrate/validation.h"
#include "models/cost/all_reduce_cost.h"
#include "models/cost/point_to_point.h"

namespace brink::calibrate {

/// Both curves. Throws Error when one has fewer than three sizes.
[[nodiscard]] cost::PointToPoint fit_point_to_point(const std::vector<SendRecvRow>& rows);

/// Groups "send_recv_between_nodes" and "send_recv_nvlink": in sample, and held out by size in five folds.
void validate_point_to_point(const std::vector<SendRecvRow>& rows, std::vector<ValidationRow>& out);

/// Group "all_reduce_nccl_tests": rows of another machine against the fitted curves, all held out.
void validate_other_machine(const std::vector<CollectiveRow>& rows, const std::vector<cost::CollectiveCost>& fitted,
                            std::vector<ValidationRow>& out);

/// Groups "all_reduce_two_nodes" (InfiniBand) and "all_reduce_two_nodes_tcp" (another network: what the model does not
/// know): small messages on 2 x 8 GPUs, sourced, against NCCL's constants with the measured hop; all held out.
/// `facts`: columns component, quantity, value, unit. A fact that is not there gives no row.
void validate_two_nodes(const std::string& facts, const cost::PointToPoint& measured, std::vector<ValidationRow>& out);

}  // namespace brink::calibrate
