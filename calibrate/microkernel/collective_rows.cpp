#include <map>
#include <string>

#include "calibrate/microkernel/step_groups.h"

namespace brink::calibrate {

std::vector<CollectiveRow> read_collectives(const MicrokernelResults& results) {
  static const std::vector<std::string> names{"all_reduce", "all_gather", "reduce_scatter", "all_to_all"};
  static const std::map<std::string, cost::CollectiveOp> ops{{"all_reduce", cost::CollectiveOp::all_reduce},
                                                             {"all_gather", cost::CollectiveOp::all_gather},
                                                             {"reduce_scatter", cost::CollectiveOp::reduce_scatter},
                                                             {"all_to_all", cost::CollectiveOp::all_to_all}};
  std::vector<CollectiveRow> rows;
  results.each("collective", [&](const ResultPoint& point, ObjectReader& params, ObjectReader&) {
    const std::int64_t gpus = params.integer("ranks", Range::at_least(1));
    if (!point.timed || gpus < 2) return;
    rows.push_back({cost::CollectiveBackend::nccl, ops.at(params.choice("what", names)), gpus, Bytes(params.number("bytes", Range::positive("B"))), point.median});
  });
  return rows;
}

}  // namespace brink::calibrate
