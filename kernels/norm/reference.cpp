#include "kernels/norm/reference.h"

#include <cmath>

#include "kernels/runner/hash.h"

namespace brink::kernels {

std::vector<double> rms_norm_reference(std::uint64_t seed_x, std::uint64_t first, std::uint64_t seed_w, int hidden,
                                       double epsilon) {
  const auto n = static_cast<std::uint64_t>(hidden);
  double squares = 0;
  std::vector<double> row(n);
  for (std::uint64_t i = 0; i < n; ++i) {
    row[i] = static_cast<double>(hash_bf16_unit(seed_x, first + i));
    squares += row[i] * row[i];
  }
  const double scale = 1 / std::sqrt(squares / hidden + epsilon);
  for (std::uint64_t i = 0; i < n; ++i) row[i] *= scale * static_cast<double>(hash_bf16_unit(seed_w, i));
  return row;
}

}  // namespace brink::kernels
