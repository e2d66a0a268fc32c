// Measured against predicted, row by row and by group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "models/base/json.h"

namespace brink::calibrate {

/// One comparison. `held_out`: the prediction came from a fit that never saw this row's shape.
struct ValidationRow {
  std::string group;   ///< "gemm_bf16", "attention_decode_cold", ...
  std::string id;      ///< the coordinate
  std::string metric;  ///< "latency_us"
  double measured = 0.0;
  double predicted = 0.0;
  bool held_out = false;
};

/// Relative errors |predicted / measured - 1| of one group.
struct GroupError {
  std::string group;
  bool held_out = false;
  std::size_t count = 0;
  double mape = 0.0;   ///< mean, as a fraction
  double p95 = 0.0;
  double worst = 0.0;
};

/// In order of first appearance, in-sample before held-out. Percentiles are linear (numpy's).
[[nodiscard]] std::vector<GroupError> summarise(const std::vector<ValidationRow>& rows);

/// A list of {group, id, metric, measured, predicted, held_out}.
[[nodiscard]] Json to_json(const std::vector<ValidationRow>& rows);
[[nodiscard]] Json to_json(const std::vector<GroupError>& errors);

/// Assigns `count` shapes to `folds` parts of equal size, shuffled reproducibly.
[[nodiscard]] std::vector<std::size_t> assign_folds(std::size_t count, std::size_t folds);

constexpr std::size_t kFolds = 5;  // holds out 20 % of the shapes at a time

}  // namespace brink::calibrate
