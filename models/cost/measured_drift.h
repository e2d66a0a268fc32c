// How often, and by how much, logits change when only the batch around a request does: measured on whole
// decode steps of a transformer with random weights. The drift model's q and |Delta|.
#pragma once

#include <cstdint>
#include <vector>

#include "models/base/json.h"
#include "models/base/object_reader.h"

namespace brink::cost {

/// The `drift` section of a profile. Margins (first minus second logit) are in nats; random weights give
/// them the scale of the model that was run, so the shares carry over to other models and the margins' changes
/// only within the same type of arithmetic.
struct MeasuredDrift {
  /// A row's logits in a batch of this size against those of the same row decoded alone.
  struct Batch {
    std::int64_t batch = 1, rows = 0;
    double changed_share = 0.0;        ///< rows with any difference, in FP32
    double changed_bf16_share = 0.0;   ///< after rounding to bf16
    double flipped_share = 0.0;        ///< rows whose most likely token is another
    double margin_delta_median = 0.0;  ///< |change of the margin| over rows that changed
    double margin_delta_p90 = 0.0;
  };
  std::vector<Batch> batches;
  double margin_median = 0.0;  ///< of the rows alone

  /// q: share of changed rows over all batches, by rows compared.
  [[nodiscard]] double changed_share() const;
  /// |Delta|: median over the batches, by rows that changed; 0 when none did.
  [[nodiscard]] double margin_delta() const;
  [[nodiscard]] double flipped_share() const;

  /// Throws ConfigError for a field that is missing, mistyped, unknown or out of range.
  static MeasuredDrift from_json(ObjectReader reader);
  [[nodiscard]] Json to_json() const;
};

}  // namespace brink::cost
