// Sections `launch`, `contention` and `drift`, and the floor of small kernels, from the groups `launch`,
// `overlap`, `decode_step` and `norm`; collectives as rows of the fits.
#pragma once

#include <optional>
#include <vector>

#include "calibrate/microkernel/results.h"
#include "calibrate/tables.h"
#include "calibrate/validation.h"
#include "models/cost/contention.h"
#include "models/cost/elementwise_cost.h"
#include "models/cost/gpu_facts.h"
#include "models/cost/launch_costs.h"
#include "models/cost/measured_drift.h"

namespace brink::calibrate {

/// Costs of a graph replay: intercept and slope of time over nodes, by relative least squares. Group "graph_replay".
[[nodiscard]] cost::LaunchCosts fit_launch(const MicrokernelResults& results, std::vector<ValidationRow>& comparisons);

[[nodiscard]] cost::Contention read_contention(const MicrokernelResults& results);

/// Nothing when no step compared logits between batch sizes.
[[nodiscard]] std::optional<cost::MeasuredDrift> read_drift(const MicrokernelResults& results);

/// Small memory-bound kernels in a graph: time of a norm over few tokens, and the copy bandwidth.
/// Nothing when `norm` was not measured.
[[nodiscard]] std::optional<cost::ElementwiseCost> fit_elementwise(const MicrokernelResults& results, const cost::GpuFacts& gpu);

/// Collectives over the GPUs there were; none for a single GPU.
[[nodiscard]] std::vector<CollectiveRow> read_collectives(const MicrokernelResults& results);

}  // namespace brink::calibrate
