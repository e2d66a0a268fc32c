#include "sim/app/inspect_plans.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "models/plan/cuda_graphs.h"
#include "sim/scenario/plan_parts.h"
#include "sim/scenario/read_conditions.h"

namespace brink::app {

namespace {

/// Around the sizes at which a captured graph ends: 17 runs as 24.
constexpr std::array<std::int64_t, 8> batches = {1, 8, 16, 17, 32, 64, 128, 256};

/// A row an operator and tactic, with the batches that run it.
class Rows {
 public:
  void add(const std::string& name, std::int64_t batch, const std::string& tactic, const plan::Choice& choice) {
    for (Json& row : rows_.items()) {
      if (row.find("operator")->as_string() != name || row.find("tactic")->as_string() != tactic ||
          row.find("fallback")->as_string() != plan::name(choice.fallback)) {
        continue;
      }
      row.find("batches")->push_back(batch);
      return;
    }
    Json& row = rows_.push_back(Json::object());
    row.set("operator", name);
    row.set("batches", Json::array()).push_back(batch);
    row.set("tactic", tactic);
    row.set("fallback", plan::name(choice.fallback));
  }
  /// By operator as the model runs them; within one as batches grow.
  [[nodiscard]] Json take(const transformer::OperatorGraph& graph) {
    const auto place = [&](const Json& row) {
      const auto at = std::find_if(graph.operators.begin(), graph.operators.end(),
                                   [&](const transformer::Operator& op) { return op.name == row.find("operator")->as_string(); });
      return at - graph.operators.begin();
    };
    std::stable_sort(rows_.items().begin(), rows_.items().end(), [&](const Json& a, const Json& b) { return place(a) < place(b); });
    return std::move(rows_);
  }

 private:
  Json rows_ = Json::array();
};

Json plans(const scenario::Scenario& s, plan::Planner& planner, const plan::TacticNames& names) {
  const std::int64_t graph_max = s.engine.enforce_eager ? 0 : plan::cuda_graph_max(s.engine.memory.max_num_seqs);
  const Bytes workspace = scenario::idle_workspace(s);
  Rows out;
  const auto add = [&](const plan::PlanPart& part, std::int64_t batch) {
    for (std::size_t i = 0; i < part.operators.size(); ++i) {
      const transformer::Operator& op = planner.graph().operators[part.operators[i]];
      if (op.kind == transformer::OperatorKind::all_reduce) continue;  // has a table of its own
      out.add(op.name, batch, names[part.choices[i].tactic_id], part.choices[i]);
    }
  };
  for (const std::int64_t batch : batches) {
    if (batch > s.engine.memory.max_num_seqs) break;
    const auto padded = plan::padded_tokens(batch, graph_max);
    add(planner.part(transformer::Rows::tokens, padded.value_or(batch), {workspace, padded.has_value(), batch}), batch);
    add(planner.part(transformer::Rows::sampled, batch, {workspace, false, batch}), batch);
  }
  return out.take(planner.graph());
}

/// Decoding sequences of one length.
Json attention_splits(const scenario::Scenario& s, plan::Planner& planner) {
  const std::int64_t graph_max = s.engine.enforce_eager ? 0 : plan::cuda_graph_max(s.engine.memory.max_num_seqs);
  Json out = Json::array();
  for (const std::int64_t context : {256, 1024, 4096, 16384}) {
    if (context > s.engine.memory.max_model_len) break;
    Json row = Json::object();
    row.set("context", context);
    Json& splits = row.set("splits_by_batch", Json::object());
    for (const std::int64_t batch : batches) {
      if (batch > s.engine.memory.max_num_seqs || batch * context > s.budget.kv_tokens) break;
      plan::AttentionBatch same = plan::batch_of_one(context, planner.settings().attention_hardware);
      const std::int64_t blocks = same.blocks;
      same.sequences = batch;
      same.context *= batch;
      same.blocks *= batch;
      same.pages *= batch;
      same.full_graph = plan::padded_tokens(batch, graph_max).has_value();
      splits.set(std::to_string(batch), planner.attention(same).splits(blocks));
    }
    if (!splits.members().empty()) out.push_back(std::move(row));
  }
  return out;
}

const std::string& text(const Json& object, const char* key) { return object.find(key)->as_string(); }

std::string plain(const Json& value) {
  if (value.is_number()) return fmt::format("{:g}", value.as_double());
  return value.is_string() ? value.as_string() : value.dump();
}

}  // namespace

void add_plan_facts(Json& facts, const scenario::Scenario& scenario, plan::Planner& planner, const plan::TacticNames& names) {
  Json& active = facts.set("hypotheses", Json::array());
  for (const scenario::ActiveHypothesis& hypothesis : scenario.hypotheses.active()) active.push_back(hypothesis.name);
  facts.set("conditions", scenario::to_json(scenario.conditions));
  facts.set("plans", plans(scenario, planner, names));
  facts.set("attention_splits", attention_splits(scenario, planner));
}

std::string hypotheses_text(const Json& facts) {
  std::string names;
  for (const Json& name : facts.find("hypotheses")->items()) names += (names.empty() ? "" : ", ") + name.as_string();
  return names.empty() ? names : "HYPOTHESES ACTIVE, which evidence does not support: " + names + "\n";
}

std::string plans_text(const Json& facts) {
  std::string out = "\nTactics of decode steps by batch, on an idle replica\n", last;
  for (const Json& row : facts.find("plans")->items()) {
    if (text(row, "operator") != last) out += "  " + (last = text(row, "operator")) + "\n";
    std::string sizes;
    for (const Json& batch : row.find("batches")->items()) sizes += (sizes.empty() ? "" : " ") + batch.dump();
    const std::string& fallback = text(row, "fallback");
    out += fmt::format("    {:<26} {}{}\n", sizes, text(row, "tactic"), fallback == "none" ? "" : " (fallback: " + fallback + ")");
  }
  const auto& splits = facts.find("attention_splits")->items();
  if (splits.empty()) return out;
  out += fmt::format("\nSplits of attention over KV ({}), by context and batch\n  {:>7}", text(*facts.find("engine"), "attention_backend"), "");
  for (const Json::Member& batch : splits.front().find("splits_by_batch")->members()) out += fmt::format(" {:>5}", batch.first);
  out += "\n";
  for (const Json& row : splits) {
    out += fmt::format("  {:>7}", row.find("context")->as_integer());
    for (const Json::Member& batch : row.find("splits_by_batch")->members()) out += fmt::format(" {:>5}", batch.second.as_integer());
    out += "\n";
  }
  return out;
}

std::string conditions_text(const Json& facts) {
  const auto& conditions = facts.find("conditions")->items();
  if (conditions.empty()) return {};
  std::string out = "\nConditions\n";
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    out += fmt::format("  {} {}:", i, text(conditions[i], "kind"));
    for (const Json::Member& field : conditions[i].members()) {
      if (field.first != "kind" && !field.second.is_null()) out += " " + field.first + "=" + plain(field.second);
    }
    out += "\n";
  }
  return out;
}

}  // namespace brink::app
