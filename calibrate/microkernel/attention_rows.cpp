#include "calibrate/microkernel/attention_rows.h"

#include <algorithm>
#include <optional>
#include <string>

namespace brink::calibrate {
namespace {

using cost::KvResidency;

// Of the L2's size. Between the two, a part of the KV is found there and a part is not.
constexpr double kWarmShare = 0.6, kColdShare = 1.5;
constexpr std::int64_t kSplitsMax = 32;

/// Where the KV lies when a launch starts; nothing for a mixture.
std::optional<KvResidency> residency_of(const std::string& state, double kv_bytes, double sets, Bytes l2) {
  if (state == "cold") return KvResidency::cold;
  // Everything that is read between two uses of the same block.
  const double between = kv_bytes * (state == "rotated" ? sets : 1.0);
  if (between >= kColdShare * l2.value()) return KvResidency::cold;
  if (between <= kWarmShare * l2.value()) return KvResidency::warm;
  return std::nullopt;
}

cost::AttentionHeads heads_of(ObjectReader& params) {
  return {params.integer("heads_q", Range::at_least(1)), params.integer("heads_kv", Range::at_least(1)), params.integer("head_size", Range::at_least(1))};
}

}  // namespace

std::int64_t captured_splits(std::int64_t batch, std::int64_t kv_heads, std::int64_t sm_count) {
  const std::int64_t work = batch * kv_heads;
  return std::clamp((2 * sm_count + work - 1) / work, std::int64_t{1}, kSplitsMax);
}

AttentionTimes read_attention_times(const MicrokernelResults& results) {
  AttentionTimes times;
  Seconds floor(0.0);  // of an empty pair of events, in a cold timing
  results.each("launch", [&](const ResultPoint& point, ObjectReader& params, ObjectReader&) {
    if (params.string("op") == "event_pair_empty" && point.timed) floor = point.median;
  });
  results.each("attention", [&](const ResultPoint& point, ObjectReader& params, ObjectReader& metrics) {
    const std::string what = params.choice("what", {"decode", "prefill", "bits"});
    if (!point.timed || what == "bits") return;
    const cost::AttentionHeads heads = heads_of(params);
    if (what == "prefill") {
      times.prefill.push_back({cost::KvType::bf16, 1, params.integer("queries", Range::at_least(1)), params.integer("prefix", Range::at_least(0)), heads, point.median, std::nullopt});
      return;
    }
    const std::int64_t batch = params.integer("batch", Range::at_least(1)), context = params.integer("context", Range::at_least(1));
    const std::string state = params.choice("l2", {"rotated", "warm", "cold"});
    const bool usual = params.integer("splits", Range::at_least(1)) == captured_splits(batch, heads.kv, results.header().sm_count) &&
                       params.string("scatter") == "random" && !params.boolean_or("ragged", false);
    const auto residency = residency_of(state, metrics.number("kv_bytes", Range::positive("B")), metrics.number_or("sets", 1.0, Range::at_least(1)), results.header().l2);
    if (!usual || !residency) return;
    const Seconds time = state == "cold" && floor < point.median * 0.5 ? point.median - floor : point.median;
    times.decode.push_back({cost::KvType::bf16, batch, 1, context - 1, heads, time, residency});
  });
  return times;
}

}  // namespace brink::calibrate
