#include "kernels/runner/verify.h"

#include <cmath>

#include "kernels/runner/json.h"

namespace brink::kernels {

Comparison compare(const float* got, const double* want, std::size_t count) {
  Comparison result;
  double error = 0;
  double norm = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<double>(got[i]);
    if (!std::isfinite(value)) {
      if (result.not_finite++ == 0) result.worst_at = i;
      continue;
    }
    const double difference = std::fabs(value - want[i]);
    error += difference * difference;
    norm += want[i] * want[i];
    if (difference > result.worst) {
      result.worst = difference;
      if (result.not_finite == 0) result.worst_at = i;
    }
  }
  result.relative_l2 = norm > 0 ? std::sqrt(error / norm) : std::sqrt(error);
  return result;
}

void require_close(const std::string& what, const float* got, const double* want, std::size_t count,
                   double relative_l2_max) {
  const Comparison c = compare(got, want, count);
  // Negated, so that a NaN in the reference fails too.
  if (c.not_finite == 0 && count > 0 && !(c.relative_l2 > relative_l2_max) && std::isfinite(c.relative_l2)) return;
  std::string text = what + ": relative L2 error " + json_number(c.relative_l2) + " (at most " +
                     json_number(relative_l2_max) + ") over " + std::to_string(count) + " elements, " +
                     std::to_string(c.not_finite) + " not finite";
  if (count > 0) {
    text += "; element " + std::to_string(c.worst_at) + " is " + json_number(static_cast<double>(got[c.worst_at])) +
            ", not " + json_number(want[c.worst_at]);
  }
  throw WrongResult(text);
}

void require_equal(const std::string& what, unsigned long long got, unsigned long long want) {
  if (got != want) throw WrongResult(what + " is " + std::to_string(got) + ", not " + std::to_string(want));
}

}  // namespace brink::kernels
