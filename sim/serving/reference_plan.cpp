#include "sim/serving/reference_plan.h"

#include "models/plan/cuda_graphs.h"

namespace brink::serving {

plan::ReductionSig token_signature(const plan::PlanPart& tokens, const plan::PlanPart& sampled) {
  return plan::signature_hash(tokens.signature, sampled.signature);
}

IReferencePlan::Order ReferencePlan::tokens(std::int64_t tokens) const {
  const auto padded = plan::padded_tokens(tokens, graph_max_);
  const plan::PlanState state{workspace_, padded.has_value(), tokens};
  const plan::PlanPart& part = planner_->part(transformer::Rows::tokens, padded.value_or(tokens), state);
  const plan::PlanPart& sampled = planner_->part(transformer::Rows::sampled, 1, {workspace_, false, 1});
  return {token_signature(part, sampled), part.repeatable && sampled.repeatable};
}

plan::ReductionSig ReferencePlan::attention(std::int64_t context) const {
  plan::AttentionBatch alone = plan::batch_of_one(context, planner_->settings().attention_hardware);
  alone.full_graph = plan::padded_tokens(1, graph_max_).has_value();
  return planner_->attention(alone).signature(alone.blocks);
}

}  // namespace brink::serving
