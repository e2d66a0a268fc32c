#include "models/plan/collective_selector.h"

namespace brink::plan {
namespace {

using cost::CollectiveBackend;
using fabric::CollectiveAlgorithm;
using fabric::CollectiveOp;
using fabric::CollectiveProtocol;

const CollectiveRule* rule_for(CollectiveOp op, Bytes message, const CollectiveOptions& options) {
  for (const CollectiveRule& rule : options.rules) {
    const bool fits = rule.op == op && message >= rule.from && message < rule.below;
    if (fits && fabric::supports(op, rule.algorithm, options.layout)) return &rule;
  }
  return nullptr;
}

// Shards reduced by the GPUs of a node, then between nodes, always the same way round.
ReductionSig hierarchical_order(const fabric::RankLayout& layout) {
  constexpr ReductionSig salt = 0x68696572;
  return signature_hash(signature_hash(salt, static_cast<std::uint64_t>(layout.nodes)), static_cast<std::uint64_t>(layout.gpus_per_node));
}

bool adds_up(CollectiveOp op) { return op == CollectiveOp::all_reduce || op == CollectiveOp::reduce_scatter; }

CollectiveAlgorithm algorithm_of(const AllReducePlan& plan) {
  switch (plan.tactic) {
    case AllReduceTactic::one_shot: return CollectiveAlgorithm::one_shot;
    case AllReduceTactic::two_shot: return CollectiveAlgorithm::two_shot;
    case AllReduceTactic::multimem: return CollectiveAlgorithm::nvls;
    default: return plan.nccl ? plan.nccl->algorithm : CollectiveAlgorithm::ring;
  }
}

CollectivePlan inside(Bytes message, const CollectiveOptions& options, TacticNames& names) {
  AllReduceOptions node = options.node;
  node.setting.world = options.layout.gpus_per_node;
  const AllReducePlan found = plan_all_reduce(message, node, names);
  CollectivePlan plan;
  plan.work.collective = {CollectiveOp::all_reduce, algorithm_of(found), options.layout, message};
  plan.work.protocol = found.nccl ? found.nccl->protocol : CollectiveProtocol::simple;
  plan.work.backend = found.table == AllReduceTable::custom ? CollectiveBackend::custom_graph : CollectiveBackend::nccl;
  plan.choice = found.choice;
  return plan;
}

NcclChoice usual_nccl(CollectiveOp op, Bytes message, const CollectiveOptions& options) {
  if (options.node.batch_invariant && op == CollectiveOp::all_reduce) return nccl_one_channel_tree(message, options.layout, options.nccl);
  return choose_nccl(op, message, options.layout, options.nccl);
}

// What the forced choice takes against what NCCL would, by its own model.
double relative(const NcclChoice& chosen, CollectiveOp op, Bytes message, const CollectiveOptions& options) {
  const Seconds usual = choose_nccl(op, message, options.layout, options.nccl).estimate;
  return usual > Seconds(0.0) && chosen.estimate > Seconds(0.0) ? chosen.estimate / usual : 1.0;
}

CollectivePlan by_nccl(CollectiveOp op, Bytes message, const NcclChoice& chosen, const CollectiveOptions& options, TacticNames& names) {
  CollectivePlan plan;
  plan.work.collective = {op, chosen.algorithm, options.layout, message};
  plan.work.protocol = chosen.protocol;
  // Inside a node the curve is that of NCCL's own choice; between nodes the cost knows the algorithm, not its channels.
  if (options.layout.nodes == 1) plan.choice.relative_time = relative(chosen, op, message, options);
  else if (chosen.channels == 1) plan.choice.relative_time = chosen.estimate / choose_nccl(op, message, options.layout, options.nccl, {chosen.algorithm, chosen.protocol}).estimate;
  if (chosen.channels == 1) plan.choice.fallback = Fallback::batch_invariant;
  plan.choice.tactic_id = names.intern("nccl/" + tactic_name(chosen) + (chosen.channels == 1 ? "/1ch" : ""));
  if (adds_up(op)) plan.choice.reduction_sig = nccl_order(chosen, message);
  return plan;
}

// What a rule asks for that NCCL does not run.
CollectivePlan by_rule(CollectiveOp op, Bytes message, const CollectiveRule& rule, const CollectiveOptions& options, TacticNames& names) {
  CollectivePlan plan;
  plan.work.collective = {op, rule.algorithm, options.layout, message};
  plan.work.protocol = rule.protocol.value_or(CollectiveProtocol::simple);
  const bool custom = rule.algorithm == CollectiveAlgorithm::one_shot || rule.algorithm == CollectiveAlgorithm::two_shot;
  if (custom && options.layout.nodes == 1) plan.work.backend = CollectiveBackend::custom_graph;
  plan.choice.tactic_id = names.intern(custom ? "custom_" + fabric::name(rule.algorithm) : fabric::name(rule.algorithm));
  if (adds_up(op)) plan.choice.reduction_sig = hierarchical_order(options.layout);
  return plan;
}

}  // namespace

CollectivePlan plan_collective(CollectiveOp op, Bytes message, const CollectiveOptions& options, TacticNames& names) {
  const CollectiveRule* rule = rule_for(op, message, options);
  if (options.layout.ranks() > 1 && rule != nullptr) {
    const NcclChoice forced = choose_nccl(op, message, options.layout, options.nccl, {rule->algorithm, rule->protocol});
    if (forced.algorithm == rule->algorithm) return by_nccl(op, message, forced, options, names);
    return by_rule(op, message, *rule, options, names);
  }
  const bool near = options.layout.nodes == 1;
  CollectivePlan plan = near && op == CollectiveOp::all_reduce ? inside(message, options, names)
                        : options.layout.ranks() > 1           ? by_nccl(op, message, usual_nccl(op, message, options), options, names)
                                                               : CollectivePlan{};
  if (options.layout.ranks() <= 1) {
    plan.work.collective = {op, CollectiveAlgorithm::ring, options.layout, message};
    plan.choice.tactic_id = names.intern("none");
  }
  if (options.node.collectives_keep_order && adds_up(op) && options.layout.ranks() > 1) plan.choice.reduction_sig = kept_order();
  return plan;
}

}  // namespace brink::plan
