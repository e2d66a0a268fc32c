// Role: what a request runs when it is alone on an idle replica. Drift is measured against it.
#pragma once

#include <cstdint>

#include "models/plan/tactic.h"

namespace brink::serving {

/// Answers are pure: the same all through a run, whatever the load.
class IReferencePlan {
 public:
  struct Order {
    plan::ReductionSig signature = 0;
    bool repeatable = true;
  };

  virtual ~IReferencePlan() = default;
  /// Operators on tokens of a batch of this many and nothing else: a prefill chunk, or 1 for a decode step. To be
  /// compared with BatchSignature::tokens.
  [[nodiscard]] virtual Order tokens(std::int64_t tokens) const = 0;
  /// Decode attention of a sequence of `context` KV tokens: the plan's signature() of its KV blocks.
  [[nodiscard]] virtual plan::ReductionSig attention(std::int64_t context) const = 0;
};

}  // namespace brink::serving
