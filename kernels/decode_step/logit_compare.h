#pragma once

#include <vector>

#include "kernels/decode_step/llama_model.h"

namespace brink::kernels {

/// Rows 0 .. count - 1 of the model's last logits against rows first .. of `want` [rows][vocabulary].
std::vector<RowDifference> logit_differences(const LlamaModel& model, const float* want, int first, int count);

}  // namespace brink::kernels
