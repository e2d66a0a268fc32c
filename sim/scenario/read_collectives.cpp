#include "sim/scenario/read_collectives.h"

#include <algorithm>
#include <string>

namespace brink::scenario {
namespace {

const std::vector<std::string> ops{"all_reduce", "all_gather", "reduce_scatter", "all_to_all", "send_recv"};
const std::vector<std::string> algorithms{"ring", "tree", "nvls", "nvls_tree", "one_shot", "two_shot", "direct", "hierarchical"};
const std::vector<std::string> protocols{"ll", "ll128", "simple"};

template <class Enum>
Enum index_of(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<Enum>(std::find(names.begin(), names.end(), name) - names.begin());
}

plan::CollectiveRule read_rule(ObjectReader in, Json& resolved) {
  plan::CollectiveRule rule;
  const std::string op = in.choice_or("op", ops, "all_reduce"), algorithm = in.choice("algorithm", algorithms);
  rule.op = index_of<fabric::CollectiveOp>(ops, op);
  rule.algorithm = index_of<fabric::CollectiveAlgorithm>(algorithms, algorithm);
  // What a layout can do is known when ranks are placed; what no layout can do is known here.
  const bool possible = fabric::supports(rule.op, rule.algorithm, {1, 8}) || fabric::supports(rule.op, rule.algorithm, {2, 8});
  if (!possible) throw in.error("algorithm", "'" + algorithm + "' for " + op, "an algorithm that does this operation");
  resolved.set("op", op);
  resolved.set("algorithm", algorithm);
  if (in.has("protocol")) {
    const std::string protocol = in.choice("protocol", protocols);
    rule.protocol = index_of<fabric::CollectiveProtocol>(protocols, protocol);
    resolved.set("protocol", protocol);
  }
  rule.from = Bytes(in.number_or("from_bytes", 0.0, Range::at_least(0.0, "B")));
  resolved.set("from_bytes", rule.from.value());
  if (in.has("below_bytes")) {
    rule.below = Bytes(in.number("below_bytes", Range::positive("B")));
    if (rule.below <= rule.from) throw in.error("below_bytes", in.value("below_bytes").describe(), "more than from_bytes");
    resolved.set("below_bytes", rule.below.value());
  }
  in.finish();
  return rule;
}

}  // namespace

CollectiveSettings read_collectives(ObjectReader& scenario) {
  const Json nothing = Json::object();
  ObjectReader in = scenario.has("collectives") ? scenario.object("collectives") : ObjectReader(nothing, "/collectives");
  CollectiveSettings out;
  Json& rules = out.resolved.set("rules", Json::array());
  if (in.has("rules")) {
    in.each("rules", [&](const Json& item, const std::string& pointer) {
      out.rules.push_back(read_rule(ObjectReader(item, pointer), rules.push_back(Json::object())));
    });
  }
  out.nccl.nvls = in.boolean_or("nvls", out.nccl.nvls);
  const std::string cpu = in.choice_or("host_cpu", {"intel", "amd"}, "intel");
  out.nccl.amd_host = cpu == "amd";
  out.per_step_max = in.integer_or("per_step_max", out.per_step_max, Range::at_least(0.0));
  out.resolved.set("nvls", out.nccl.nvls);
  out.resolved.set("host_cpu", cpu);
  out.resolved.set("per_step_max", out.per_step_max);
  in.finish();
  return out;
}

}  // namespace brink::scenario
