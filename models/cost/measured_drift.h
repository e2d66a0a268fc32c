// How often, and by how much, logits change when only the batch around a request does: measured on whole
// decode steps of a transformer with random weights. The drift model's q and |Delta|.
#pragma once

#include <cstdint>
#include <vector>

#include "models/base/json.h"
#include "models/base/object_reader.h"

namespace brink::cost {

/// The `drift` section of a profile. Deltas are of logits, in nats; random weights give them the scale of
/// the model that was run, so the share q carries over to other models and |Delta| only within its type.
struct MeasuredDrift {
  /// Rows whose logits differ in some bit from those of the reference batch, of all rows compared.
  double changed_share = 0.0;
  double delta_median = 0.0;  ///< of the largest |difference| in a row, over the rows that changed
  double delta_p99 = 0.0;
  std::int64_t rows = 0;      ///< compared

  struct Pair {
    std::int64_t reference_batch = 1, batch = 1;
    double changed_share = 0.0, delta_median = 0.0;
    std::int64_t rows = 0;
  };
  std::vector<Pair> pairs;

  /// Throws ConfigError for a field that is missing, mistyped, unknown or out of range.
  static MeasuredDrift from_json(ObjectReader reader);
  [[nodiscard]] Json to_json() const;
};

}  // namespace brink::cost
