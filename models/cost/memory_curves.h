// The memory hierarchy of one GPU as its microkernels saw it: streaming, gathers, the L2 knee, the
// distance to a slice, address translation, and the link to the host. Curves are a few numbers each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "models/base/object_reader.h"
#include "models/base/units.h"

namespace brink::cost {

/// Where a curve was measured; outside it the law carries on.
struct MeasuredRange {
  double low = 0.0, high = 0.0;
  static MeasuredRange from_json(const Json& json, const std::string& pointer);
  [[nodiscard]] Json to_json() const;
};

/// t = (latency^p + (bytes / rate)^p)^(1/p): latency where little moves, bandwidth where much does (Hockney,
/// Parallel Computing 20(3), 1994, with a p-norm for the overlap of the two).
struct TransferCurve {
  std::string name;  ///< "read", "write", "copy", "triad", "to_device", ...
  Seconds latency{0.0};
  BytesPerSecond rate{0.0};
  double overlap_power = 1.0;
  MeasuredRange bytes;

  [[nodiscard]] Seconds time(Bytes moved) const;
  static TransferCurve from_json(ObjectReader reader);
  [[nodiscard]] Json to_json() const;
};

/// Reading scattered blocks: rate(block) = rate / (1 + half / block). `half` is the block that reaches half
/// the rate: the bytes that a block's own latency and its partly used sectors are worth.
struct GatherCurve {
  std::string name;  ///< "strided", "paged", ...
  BytesPerSecond rate{0.0};
  Bytes half_block{0.0};
  MeasuredRange block_bytes;

  [[nodiscard]] BytesPerSecond rate_of(Bytes block) const;
  static GatherCurve from_json(ObjectReader reader);
  [[nodiscard]] Json to_json() const;
};

/// Reading 16 bytes at every multiple of a stride: useful bytes only.
struct StridedRate {
  std::int64_t stride_bytes = 16;
  BytesPerSecond useful{0.0};
};

/// Bandwidth and latency against the working set of a repeated access. The share of hits falls as
/// 1 / (1 + (set / capacity)^sharpness): half of it is left at the capacity.
struct CacheKnee {
  Bytes capacity{0.0};
  double sharpness = 4.0;
  BytesPerSecond cache_rate{0.0}, memory_rate{0.0};
  Seconds near{0.0}, far{0.0}, memory{0.0};  ///< latencies of a dependent load: near slice, far slice, HBM
  Bytes near_capacity{0.0};                  ///< working set at which far slices answer half the loads
  MeasuredRange working_set;

  [[nodiscard]] double hit_share(Bytes working_set) const;
  [[nodiscard]] BytesPerSecond rate_of(Bytes working_set) const;
  [[nodiscard]] Seconds latency_of(Bytes working_set) const;
  static CacheKnee from_json(ObjectReader reader);
  [[nodiscard]] Json to_json() const;
};

/// Latency against reach. A cliff is stated only when the measurements show one.
struct TranslationReach {
  std::optional<Bytes> reach;       ///< where half of `penalty` is paid; none: no cliff in the measured range
  Seconds penalty{0.0};             ///< added to a dependent load far beyond the reach
  Seconds base{0.0};                ///< of a dependent load within the reach
  MeasuredRange measured;           ///< reach in bytes
  struct Lanes {
    std::int64_t lanes = 1;
    double factor = 1.0;  ///< latency of a warp's load over that of a single lane: the slowest lane decides
  };
  std::vector<Lanes> lanes;

  [[nodiscard]] Seconds penalty_at(Bytes touched) const;
  static TranslationReach from_json(ObjectReader reader);
  [[nodiscard]] Json to_json() const;
};

/// The `memory` section of a profile. Every part is optional: a run that was cut short lacks some.
struct MemoryCurves {
  std::vector<TransferCurve> hbm;
  std::vector<GatherCurve> gather;
  std::vector<StridedRate> strided;
  std::optional<CacheKnee> l2;
  std::optional<TranslationReach> tlb;           ///< of one dependent load
  std::optional<TranslationReach> random_reads;  ///< time a read of many independent ones
  std::vector<TransferCurve> host_link;

  /// The curve of a name, or nullptr.
  [[nodiscard]] const TransferCurve* stream(const std::string& name) const;
  [[nodiscard]] const TransferCurve* link(const std::string& name) const;
  [[nodiscard]] const GatherCurve* gather_of(const std::string& name) const;

  /// Throws ConfigError for a field that is missing, mistyped, unknown or out of range.
  static MemoryCurves from_json(ObjectReader reader);
  [[nodiscard]] Json to_json() const;
};

}  // namespace brink::cost
