// Time of decode attention under a split plan, to compare plans with: how well the splits fill the SMs, the
// longest sequence's path, and joining the splits. Absolute times come from the profile.
#pragma once

#include "models/base/units.h"
#include "models/plan/attention_plan.h"

namespace brink::plan {

/// launch + combine (if split) + (memory^4 + path^4)^(1/4): KV over the bandwidth of HBM, against what the SMs
/// stream: whole waves of the mean split, and at least the longest sequence's split.
[[nodiscard]] Seconds attention_time(const AttentionPlan& plan, const AttentionBatch& batch, const AttentionHardware& hardware);

/// Thread blocks of the launch: splits of the mean sequence x sequences x KV heads.
[[nodiscard]] double attention_tiles(const AttentionPlan& plan, const AttentionBatch& batch, const AttentionHardware& hardware);

}  // namespace brink::plan
