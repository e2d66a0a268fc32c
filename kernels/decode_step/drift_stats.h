#pragma once

#include <vector>

#include "kernels/decode_step/row_results.h"
#include "kernels/runner/json.h"

namespace brink::kernels {

/// How logit rows computed in a batch differ from the same rows computed alone: shares of rows with any difference
/// (fp32, and after rounding to bf16), of rows whose first token changes, the change of the top-2 margin in nats over
/// rows that changed and keep their top two, and the largest logit difference. Rows are in the same order in all
/// three. `alone` also gives the margins' median: perturbations mean little without it.
JsonObject drift_json(const std::vector<TopTwo>& alone, const std::vector<TopTwo>& batched,
                      const std::vector<RowDifference>& differences);

}  // namespace brink::kernels
