// Which tactics ran, by operator and load. A step costs a few additions: it is counted by the numbers of its plan's
// parts, and the counts are spread over operators and tactics once, at the end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "models/plan/execution_plan.h"
#include "models/transformer/operator_graph.h"
#include "sim/serving/records.h"

namespace brink::telemetry {

/// Steps, and the GPU time of these steps.
struct StepShare {
  std::int64_t steps = 0;
  Seconds gpu;

  StepShare& operator+=(const StepShare& other) {
    steps += other.steps;
    gpu += other.gpu;
    return *this;
  }
};

class PlanStats {
 public:
  /// Steps that start before `warmup` are left out. `names` and `graph` outlive the object.
  PlanStats(Seconds warmup, const plan::TacticNames& names, const transformer::OperatorGraph& graph)
      : warmup_(warmup), names_(names), graph_(graph) {}

  /// O(1). Records without a plan are ignored.
  void add(const serving::StepRecord& record);

  /// Section "plans" of the summary; the run ends at `end`.
  [[nodiscard]] Json json(Seconds end) const;
  /// tactics.csv: one row for each operator, load and tactic.
  [[nodiscard]] std::string csv() const;

 private:
  struct Part {
    plan::PlanPart plan;  // a copy: the planner need not live as long
    bool of_tokens = false;
    StepShare share;
  };
  struct Attention {
    plan::Choice choice;
    std::vector<StepShare> by_load;  // of decoding sequences
  };
  /// One tactic of one operator at one load, and why it ran.
  struct Key {
    std::uint32_t op = 0;
    std::size_t load = 0;
    plan::TacticId tactic = 0;
    plan::Fallback fallback = plan::Fallback::none;
    auto operator<=>(const Key&) const = default;
  };
  struct Row {
    plan::Choice choice;
    StepShare share;
  };
  using Table = std::map<Key, Row>;

  void count(const plan::PlanPart& part, bool of_tokens, Seconds gpu);
  void count(const plan::AttentionPlan& attention, std::int64_t sequences, Seconds gpu);
  [[nodiscard]] Table table() const;
  [[nodiscard]] Json efficiency_json() const;
  [[nodiscard]] Json fallbacks_json(const Table& table) const;
  [[nodiscard]] Json operators_json(const Table& table) const;

  Seconds warmup_;
  const plan::TacticNames& names_;
  const transformer::OperatorGraph& graph_;
  std::vector<std::optional<Part>> parts_;           // by number
  std::vector<std::optional<Attention>> attention_;  // by tactic
  StepShare all_;
  std::int64_t captured_ = 0, switches_ = 0;
};

}  // namespace brink::telemetry
