// Downhill simplex minimisation (Nelder and Mead, The Computer Journal 7(4), 1965): derivative-free, because
// the laws take minima over tilings and the loss is an absolute value.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace brink::calibrate {

/// Minimises `loss` from `start` with an initial simplex of edge `step`, in at most `evaluations` calls.
/// Deterministic. Returns the best point seen.
[[nodiscard]] std::vector<double> minimise(const std::function<double(const std::vector<double>&)>& loss, std::vector<double> start,
                                           double step, std::size_t evaluations);

/// Minimises over positive parameters by searching their logarithms.
[[nodiscard]] std::vector<double> minimise_positive(const std::function<double(const std::vector<double>&)>& loss,
                                                    std::vector<double> start, double step, std::size_t evaluations);

}  // namespace brink::calibrate
