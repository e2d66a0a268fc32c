// Which algorithm runs a collective on any layout: the engine's own kernels inside a node, NCCL's choice between nodes,
// what the scenario asks for before either.
#pragma once

#include <limits>
#include <optional>
#include <vector>

#include "models/base/units.h"
#include "models/cost/inter_node_cost.h"
#include "models/fabric/collective.h"
#include "models/fabric/nccl_tuning.h"
#include "models/plan/all_reduce.h"
#include "models/plan/tactic.h"

namespace brink::plan {

/// "For this operation and messages of these sizes run that." Without `protocol` NCCL chooses one.
struct CollectiveRule {
  fabric::CollectiveOp op = fabric::CollectiveOp::all_reduce;
  fabric::CollectiveAlgorithm algorithm = fabric::CollectiveAlgorithm::ring;
  std::optional<fabric::CollectiveProtocol> protocol;
  Bytes from{0.0};                                            // this size and more
  Bytes below{std::numeric_limits<double>::infinity()};      // less than this
};

struct CollectiveOptions {
  AllReduceOptions node;           // the engine's rules inside a node; `setting.world` follows from the layout
  fabric::RankLayout layout;
  fabric::NcclSetting nccl;
  std::vector<CollectiveRule> rules;  // the first that fits and can run wins
};

struct CollectivePlan {
  cost::CollectiveWork work;  // for cost::Collectives::time(); the answer times choice.relative_time
  Choice choice;
};

/// Names are those of plan_all_reduce inside a node; else "nccl/Tree/LL128", "nccl/direct/Simple", "hierarchical".
/// One rank runs "none". All-gather, all-to-all and send/recv add nothing up: their reduction_sig is 0.
[[nodiscard]] CollectivePlan plan_collective(fabric::CollectiveOp op, Bytes message, const CollectiveOptions& options, TacticNames& names);

}  // namespace brink::plan
