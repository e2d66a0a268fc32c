#include "models/base/order_statistics.h"

#include <cassert>
#include <cmath>

#include "models/base/normal_quantile.h"

namespace brink {

double max_upper_tail(double u, std::int64_t n) {
  assert(u > 0.0 && u < 1.0 && n >= 1);
  return -std::expm1(std::log(u) / static_cast<double>(n));
}

double max_normal(double u, std::int64_t n) { return -normal_quantile(max_upper_tail(u, n)); }

}  // namespace brink
