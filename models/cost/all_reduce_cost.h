// Collective time inside one NVLink domain: measured sizes joined by alpha-beta segments.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "models/base/object_reader.h"
#include "models/base/units.h"
#include "models/cost/estimate.h"

namespace brink::cost {

/// Who runs the collective: the engine's one/two-shot kernel inside a CUDA graph or launched eagerly, or NCCL.
enum class CollectiveBackend { custom_graph, custom_eager, nccl };
enum class CollectiveOp { all_reduce, all_gather, reduce_scatter, all_to_all };

[[nodiscard]] std::string name(CollectiveBackend backend);
[[nodiscard]] std::string name(CollectiveOp op);

/// One curve: time over message size at a fixed number of GPUs. Between sizes latency and bytes add
/// (t = alpha + beta n through the two neighbours); beyond the last size the last beta holds.
struct CollectiveCurve {
  std::int64_t gpus = 2;
  std::vector<double> message_bytes;  // strictly increasing
  std::vector<double> time_us;

  [[nodiscard]] Estimate estimate(Bytes message) const;
};

/// All GPU counts of one backend and operation.
class CollectiveCost {
 public:
  /// Curves in any order, one a GPU count. Throws std::invalid_argument when empty or malformed.
  CollectiveCost(CollectiveBackend backend, CollectiveOp op, std::vector<CollectiveCurve> curves);

  /// A count between two measured ones interpolates geometrically in the count (`extrapolated`); above
  /// the largest the hops of a tree scale alpha and (g-1)/g the bytes (`hypothetical`); one GPU costs nothing.
  [[nodiscard]] Estimate estimate(std::int64_t gpus, Bytes message) const;
  [[nodiscard]] CollectiveBackend backend() const { return backend_; }
  [[nodiscard]] CollectiveOp op() const { return op_; }

  static CollectiveCost from_json(ObjectReader reader);
  [[nodiscard]] Json to_json() const;

 private:
  CollectiveBackend backend_;
  CollectiveOp op_;
  std::vector<CollectiveCurve> curves_;
};

}  // namespace brink::cost
