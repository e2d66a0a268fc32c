#include "kernels/overlap/reference.h"

#include "kernels/runner/hash.h"

namespace brink::kernels {

double product_element(std::uint64_t seed_a, std::uint64_t seed_b, std::uint64_t row, std::uint64_t column,
                       std::uint64_t k) {
  double sum = 0;
  for (std::uint64_t i = 0; i < k; ++i) {
    sum += static_cast<double>(hash_bf16_unit(seed_a, row * k + i)) *
           static_cast<double>(hash_bf16_unit(seed_b, column * k + i));
  }
  return sum;
}

}  // namespace brink::kernels
