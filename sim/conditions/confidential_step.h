// A step cost in confidential mode: the same kernels, longer copies between CPU and GPU around them.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "models/cost/i_step_cost.h"
#include "sim/conditions/confidential.h"

namespace brink::conditions {

class ConfidentialStepCost final : public cost::IStepCost {
 public:
  /// `blocks_per_sequence`: columns of the block table.
  ConfidentialStepCost(std::unique_ptr<cost::IStepCost> plain, const ConfidentialCost& cost, std::int64_t blocks_per_sequence)
      : plain_(std::move(plain)), cost_(cost), blocks_(blocks_per_sequence) {}

  cost::StepTime step(const cost::StepShape& shape) override;

 private:
  std::unique_ptr<cost::IStepCost> plain_;
  ConfidentialCost cost_;
  std::int64_t blocks_;
};

}  // namespace brink::conditions
