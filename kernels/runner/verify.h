#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace brink::kernels {

/// A kernel's output is not what the float64 reference says: the point becomes a "failed" line.
class WrongResult : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Comparison {
  double relative_l2 = 0;  ///< |got - want| / |want| over all elements
  double worst = 0;        ///< largest |got - want|
  std::size_t worst_at = 0;
  std::size_t not_finite = 0;  ///< elements of `got` that are NaN or infinite: poison never overwritten
};

/// Compares `count` floats with their float64 reference.
Comparison compare(const float* got, const double* want, std::size_t count);

/// Throws WrongResult, naming `what` and the worst element, if any element is not finite or the
/// relative L2 error passes `relative_l2_max`.
void require_close(const std::string& what, const float* got, const double* want, std::size_t count,
                   double relative_l2_max);

/// Throws WrongResult if the two differ.
void require_equal(const std::string& what, unsigned long long got, unsigned long long want);

}  // namespace brink::kernels
