// s.jsonl: which plan ran under which pressure, one record a step. The field names are those of the article's "s"
// record; it has one for each request of a step, which here is one for the batch: all its requests share the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/plan/execution_plan.h"
#include "models/transformer/operator_graph.h"
#include "sim/serving/records.h"
#include "sim/telemetry/run_facts.h"

namespace brink::telemetry {

class SRecords {
 public:
  /// Sampled: every so many steps of a replica ...
  static constexpr std::uint64_t steps_between = 100;
  /// ... and where the regime or the plan changed, changes of the plan no closer than this.
  static constexpr std::uint64_t steps_between_switches = 50;

  SRecords(RecordMode mode, const RecordFacts& facts, std::int64_t tensor_parallel)
      : mode_(mode), facts_(facts), tensor_parallel_(tensor_parallel) {}

  /// Without it the records name no plan. Both outlive the object.
  void follow_plans(const plan::TacticNames& names, const transformer::OperatorGraph& graph);

  void add(const serving::StepRecord& record);

  [[nodiscard]] const std::string& jsonl() const { return lines_; }

 private:
  struct Replica {
    memory::RegimeState regime;
    std::uint64_t last = 0;  // step of its last record
    bool any = false;
  };
  /// What a part's choices come to for a record.
  struct Description {
    std::string precision_path;
    std::optional<plan::Choice> gemm, collective;
  };

  [[nodiscard]] bool wants(const serving::StepRecord& record);
  const Description& describe(const plan::PlanPart& part);
  void add_plan(const serving::StepRecord& record);

  RecordMode mode_;
  RecordFacts facts_;
  std::int64_t tensor_parallel_;
  const plan::TacticNames* names_ = nullptr;
  const transformer::OperatorGraph* graph_ = nullptr;
  std::optional<std::uint32_t> primary_gemm_;  // the operator with most FLOP a token
  Bytes comm_row_;                             // all-reduced for each token of a step
  std::vector<Replica> replicas_;
  std::vector<std::optional<Description>> descriptions_;  // by number of the part
  std::string lines_;
};

}  // namespace brink::telemetry
