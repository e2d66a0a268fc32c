// What a request runs when it is alone on this replica: the replica's own planner, asked for batches of one.
#pragma once

#include <memory>

#include "models/plan/planner.h"
#include "sim/serving/i_reference_plan.h"

namespace brink::serving {

/// Order of a batch's operators on tokens, the output layer over `sampled` rows included; a batch that samples none
/// counts as one that samples one row, since no sum of it was made in another order.
[[nodiscard]] plan::ReductionSig token_signature(const plan::PlanPart& tokens, const plan::PlanPart& sampled);

class ReferencePlan final : public IReferencePlan {
 public:
  /// `graph_max`: largest captured batch, 0 without CUDA graphs. `workspace`: of an idle engine.
  ReferencePlan(std::shared_ptr<plan::Planner> planner, std::int64_t graph_max, Bytes workspace)
      : planner_(std::move(planner)), graph_max_(graph_max), workspace_(workspace) {}

  [[nodiscard]] Order tokens(std::int64_t tokens) const override;
  [[nodiscard]] plan::ReductionSig attention(std::int64_t context) const override;

 private:
  std::shared_ptr<plan::Planner> planner_;
  std::int64_t graph_max_;
  Bytes workspace_;
};

}  // namespace brink::serving
