#pragma once

#include <cstdint>
#include <vector>

namespace brink::kernels {

/// RMSNorm of one row in float64: y_i = x_i * w_i / sqrt(mean(x^2) + epsilon) (Zhang & Sennrich,
/// 2019). The inputs are hash_bf16_unit values: x of (seed_x, first + i), w of (seed_w, i).
std::vector<double> rms_norm_reference(std::uint64_t seed_x, std::uint64_t first, std::uint64_t seed_w, int hidden,
                                       double epsilon);

}  // namespace brink::kernels
