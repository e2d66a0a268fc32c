// steps.jsonl: one JSON object a step, a line each.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/transformer/operator_graph.h"
#include "sim/serving/records.h"
#include "sim/telemetry/run_facts.h"

namespace brink::telemetry {

class StepsJsonl {
 public:
  explicit StepsJsonl(const Followed& followed) : followed_(followed) {}

  /// Without it the lines name no tactics. Outlives the object.
  void follow_plans(const transformer::OperatorGraph& graph) { graph_ = &graph; }

  void add(const serving::StepRecord& record);

  [[nodiscard]] std::string& lines() { return lines_; }

 private:
  void add_plan(const serving::StepRecord& record);
  void add_state(const serving::StepRecord& record);
  void add_waits(const serving::StepRecord& record);
  const std::string& tactics(const plan::PlanPart& part);

  Followed followed_;
  const transformer::OperatorGraph* graph_ = nullptr;
  std::vector<std::optional<std::string>> tactics_;  // by number of the part: "qkv_proj":3,"o_proj":5
  std::string lines_;
};

}  // namespace brink::telemetry
