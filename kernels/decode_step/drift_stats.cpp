#include "kernels/decode_step/drift_stats.h"

#include <algorithm>
#include <cmath>

#include "kernels/decode_step/replay.h"
#include "kernels/device/numbers.h"

namespace brink::kernels {

namespace {

/// Difference of the first and second logit, in double: fp32 would round it.
double margin(const TopTwo& top) { return static_cast<double>(top.first) - static_cast<double>(top.second); }

}  // namespace

JsonObject drift_json(const std::vector<TopTwo>& alone, const std::vector<TopTwo>& batched,
                      const std::vector<RowDifference>& differences) {
  const auto rows = static_cast<double>(differences.size());
  double changed = 0, changed_bf16 = 0, flipped = 0, reordered = 0, delta_max = 0;
  std::vector<double> margins, margin_deltas;
  for (std::size_t i = 0; i < differences.size(); ++i) {
    const TopTwo& a = alone[i];
    const TopTwo& b = batched[i];
    margins.push_back(margin(a));
    delta_max = std::max(delta_max, static_cast<double>(float_of_bits(differences[i].delta_max_bits)));
    changed_bf16 += differences[i].changed_bf16 != 0 ? 1 : 0;
    flipped += a.first_at != b.first_at ? 1 : 0;
    if (differences[i].changed == 0) continue;
    changed += 1;
    if (a.first_at == b.first_at && a.second_at == b.second_at) {
      margin_deltas.push_back(std::fabs(margin(b) - margin(a)));
    } else {
      reordered += 1;
    }
  }
  JsonObject json;
  json.set("rows", static_cast<std::int64_t>(differences.size()));
  json.set("changed", changed / rows).set("changed_bf16", changed_bf16 / rows).set("flipped", flipped / rows);
  json.set("top_two_reordered", reordered / rows).set("delta_max", delta_max);
  json.set("margin_median", percentile(margins, 50));
  json.set("margin_delta_median", percentile(margin_deltas, 50));
  return json.set("margin_delta_p90", percentile(margin_deltas, 90));
}

}  // namespace brink::kernels
