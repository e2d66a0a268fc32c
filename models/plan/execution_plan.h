// The plan of a step: what every operator runs as. It has three parts that change for different reasons: the
// operators on tokens (with the padded token count), those on sampled rows, and attention (with the contexts).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/plan/attention_plan.h"
#include "models/plan/tactic.h"

namespace brink::plan {

/// Choices for all operators of one kind of rows at one row count and state. Made once, shared by all steps that
/// run it; never changes.
struct PlanPart {
  std::uint32_t number = 0;           // of the part in its run, from 0
  std::int64_t rows = 0;              // padded tokens, or sampled rows
  std::vector<std::uint32_t> operators;  // indices into the operator graph, in order
  std::vector<Choice> choices;        // one for each of them
  ReductionSig signature = 0;         // of all choices that have an order
  bool repeatable = true;
  std::int64_t fallbacks = 0;         // choices that fell back
  double tile_efficiency = 1.0, wave_efficiency = 1.0;  // of the GEMMs, weighted by FLOP
};

struct ExecutionPlan {
  const PlanPart* tokens = nullptr;   // never null in a step that runs
  const PlanPart* sampled = nullptr;  // null when no row is sampled
  ReductionSig signature = 0;         // of tokens and sampled together: what drift compares
  bool repeatable = true;             // of the whole step
  AttentionPlan attention;            // of the decoding sequences; meaningless without any
  bool decodes = false;
  bool captured = true;               // replays a CUDA graph
  std::int64_t padded_tokens = 0;
};

}  // namespace brink::plan
