// Rounding of stored parameters, so that a profile is compact and stable to diff.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace brink::cost {

/// `value` with `digits` significant decimal digits.
[[nodiscard]] inline double round_significant(double value, int digits = 6) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return std::strtod(text, nullptr);
}

}  // namespace brink::cost
