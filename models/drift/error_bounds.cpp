#include "models/drift/error_bounds.h"

#include <bit>
#include <cmath>
#include <limits>

namespace brink::drift {

namespace {

double gamma(double roundings, double u) {
  const double nu = roundings * u;
  return nu < 1.0 ? nu / (1.0 - nu) : std::numeric_limits<double>::infinity();
}

}  // namespace

double sequential_bound(std::int64_t terms, Arithmetic arithmetic) {
  return gamma(static_cast<double>(terms), unit_roundoff(arithmetic));
}

double pairwise_bound(std::int64_t terms, Arithmetic arithmetic) {
  const auto levels = terms > 1 ? std::bit_width(static_cast<std::uint64_t>(terms - 1)) : 0U;
  return gamma(static_cast<double>(levels), unit_roundoff(arithmetic));
}

double probable_bound(std::int64_t terms, double lambda, Arithmetic arithmetic) {
  return lambda * std::sqrt(static_cast<double>(terms)) * unit_roundoff(arithmetic);
}

}  // namespace brink::drift
