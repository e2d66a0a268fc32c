// Collective time inside one NVLink domain: an alpha-beta law times an efficiency surface over size.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "models/base/object_reader.h"
#include "models/base/units.h"
#include "models/cost/efficiency_surface.h"
#include "models/cost/estimate.h"
#include "models/fabric/collective.h"

namespace brink::cost {

/// Who runs the collective: the engine's one/two-shot kernel inside a CUDA graph or launched eagerly, or NCCL.
enum class CollectiveBackend { custom_graph, custom_eager, nccl };
using fabric::CollectiveOp;

[[nodiscard]] std::string name(CollectiveBackend backend);
using fabric::name;

/// One GPU count: t = (alpha^p + (bytes / rate)^p)^(1/p) times the fitted residual (Hockney's alpha-beta
/// model, Parallel Computing 20(3), 1994, with a p-norm where latency and bandwidth overlap).
struct CollectiveCurve {
  std::int64_t gpus = 2;
  Seconds latency{0.0};
  BytesPerSecond rate{0.0};
  double overlap_power = 1.0;
  EfficiencySurface surface;  // over message bytes

  [[nodiscard]] Seconds law(Bytes message) const;
  [[nodiscard]] Estimate estimate(Bytes message) const;

  /// latency_us, bytes_per_s, overlap_power and surface; the caller reads the rest and finishes `fields`.
  static CollectiveCurve from_json(ObjectReader& fields);
  /// Adds the same to `item`.
  void add_to(Json& item) const;
};

/// All GPU counts of one backend and operation.
class CollectiveCost {
 public:
  /// Curves in any order, one a GPU count. Throws std::invalid_argument when empty or repeated.
  CollectiveCost(CollectiveBackend backend, CollectiveOp op, std::vector<CollectiveCurve> curves);

  /// A count between two measured ones interpolates geometrically in the count (`extrapolated`); above the
  /// largest, the time per size scales with log2(g) for latency and (g-1)/g for bytes (`hypothetical`).
  /// One GPU or no bytes cost nothing.
  [[nodiscard]] Estimate estimate(std::int64_t gpus, Bytes message) const;
  [[nodiscard]] CollectiveBackend backend() const { return backend_; }
  [[nodiscard]] CollectiveOp op() const { return op_; }

  static CollectiveCost from_json(ObjectReader reader);
  [[nodiscard]] Json to_json() const;

 private:
  [[nodiscard]] Estimate beyond(std::int64_t gpus, Bytes message) const;

  CollectiveBackend backend_;
  CollectiveOp op_;
  std::vector<CollectiveCurve> curves_;  // by GPU count
};

}  // namespace brink::cost
