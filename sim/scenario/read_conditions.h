// /conditions: what goes wrong, a list of {"kind": ..., ...}.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/scenario/condition.h"

namespace brink::scenario {

/// Kinds that can be read, in the order of the table.
[[nodiscard]] std::vector<std::string> condition_kinds();

/// Reads the scenario's /conditions (none when absent). Throws ConfigError with the pointer of the field: unknown kinds
/// and fields, replicas and ranks that do not exist, inverted intervals, two entries of one kind that act on one GPU at
/// the same time, names given twice.
[[nodiscard]] std::vector<Condition> read_conditions(ObjectReader& scenario, const ConditionContext& context);

/// Every entry with its defaults filled in.
[[nodiscard]] Json to_json(const std::vector<Condition>& conditions);

}  // namespace brink::scenario
