// The `memory` section from the groups `hbm`, `l2`, `tlb` and `host_link`.
#pragma once

#include <string>
#include <vector>

#include "calibrate/microkernel/results.h"
#include "calibrate/validation.h"
#include "models/cost/gpu_facts.h"
#include "models/cost/memory_curves.h"

namespace brink::calibrate {

/// Fits every curve that has enough points; adds comparisons (groups "hbm_read", "hbm_gather", "l2_bandwidth",
/// "l2_latency", "host_link_...") and, for a curve that has too few, a note.
/// `host_link_peak`: the data sheet's rate of the link, one way.
[[nodiscard]] cost::MemoryCurves fit_memory(const MicrokernelResults& results, const cost::GpuFacts& gpu, BytesPerSecond host_link_peak,
                                            std::vector<ValidationRow>& comparisons, std::vector<std::string>& notes);

}  // namespace brink::calibrate
