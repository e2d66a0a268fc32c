// From the hazard of one token to what becomes of a completion. All closed forms; tokens count from 1.
#pragma once

#include <cstdint>

namespace brink::drift {

/// P(at least one of `positions` tokens flips) = 1 - (1 - hazard)^positions.
[[nodiscard]] double divergence(double hazard, std::int64_t positions);

/// Which of `positions` tokens is expected to flip first, given that one does: the mean of a truncated geometric
/// distribution, in [1, positions]. `positions` >= 1; (positions + 1) / 2 in the limit of no hazard.
[[nodiscard]] double first_flip(double hazard, std::int64_t positions);

/// How long two independent executions of a request keep the same order of summation.
struct PairAgreement {
  double prefill = 1.0;        // P(equal up to the first token)
  double decode = 1.0;         // P(equal in the first decode step, equal before)
  double step = 1.0;           // P(still equal in each later step, equal before)
  std::int64_t tokens = 0;     // of the completion
  std::int64_t broken_from = 0;  // token from which the two differ whatever came before; 0: none
};

/// P(two executions give different completions): they may flip at every token from the first on at which they do not
/// agree.
[[nodiscard]] double pair_divergence(double hazard, const PairAgreement& agreement);

}  // namespace brink::drift
