#pragma once

#include <cstdint>

namespace brink::kernels {

/// Element (row, column) of C = A^T B in float64, A and B column-major of depth k, filled with
/// hash_bf16_unit: A(i, row) of (seed_a, row * k + i), B(i, column) of (seed_b, column * k + i).
double product_element(std::uint64_t seed_a, std::uint64_t seed_b, std::uint64_t row, std::uint64_t column,
                       std::uint64_t k);

}  // namespace brink::kernels
