// Fits the GEMM law and its efficiency surface, and holds out whole (n, k) shapes.
#pragma once

#include <vector>

#include "calibrate/tables.h"
#include "calibrate/validation.h"
#include "models/cost/gemm_cost.h"

namespace brink::calibrate {

/// Throws Error when no row is of `type` or a shape lacks an m that others have.
[[nodiscard]] cost::GemmCost fit_gemm(const std::vector<GemmRow>& rows, cost::GemmType type, const cost::GpuFacts& gpu);

/// In-sample rows of `fitted` and held-out rows of refits. Groups: "gemm_bf16" (n and k from 1024 up, as in
/// every transformer layer) and "gemm_bf16_small" (either below); likewise for the other types.
void validate_gemm(const std::vector<GemmRow>& rows, cost::GemmType type, const cost::GpuFacts& gpu, const cost::GemmCost& fitted,
                   std::vector<ValidationRow>& out);

}  // namespace brink::calibrate
