#include "sim/telemetry/drift_tail.h"

#include <algorithm>
#include <cmath>

namespace brink::telemetry {

namespace {

constexpr double slow_share = 0.01;
constexpr double median_low = 0.45, median_high = 0.55;

}  // namespace

void DriftTail::add(Seconds e2e, const serving::DriftOutcome& drift, std::int64_t output_tokens) {
  const double length = std::log2(static_cast<double>(std::max<std::int64_t>(output_tokens, 1)));
  const auto stratum = static_cast<std::size_t>(std::min(length * strata_per_octave, static_cast<double>(strata_.size() - 1)));
  Bins& bins = strata_[stratum];
  if (bins.empty()) bins.resize(bins_per_octave * bin_octaves);
  const double octave = e2e.value() > 0.0 ? std::log2(e2e.value()) - first_bin_octave : 0.0;
  Bin& bin = bins[static_cast<std::size_t>(std::clamp(octave * bins_per_octave, 0.0, static_cast<double>(bins.size() - 1)))];
  bin.requests += 1.0;
  bin.from_idle += drift.from_idle;
  bin.pairwise += drift.pairwise;
}

DriftTail::Bin DriftTail::between(const Bins& bins, double total, double low, double high) {
  Bin out;
  double seen = 0.0;
  for (const Bin& bin : bins) {
    const double inside = std::min(seen + bin.requests, high * total) - std::max(seen, low * total);
    seen += bin.requests;
    if (inside <= 0.0) continue;
    const double share = inside / bin.requests;
    out.requests += inside;
    out.from_idle += share * bin.from_idle;
    out.pairwise += share * bin.pairwise;
  }
  return out;
}

void DriftTail::add_stratum(Contrast& contrast, const Bins& bins) {
  double total = 0.0;
  for (const Bin& bin : bins) total += bin.requests;
  const auto weigh = [total](Bin& sum, const Bin& part) {
    sum.requests += total;
    sum.from_idle += total * part.from_idle / part.requests;
    sum.pairwise += total * part.pairwise / part.requests;
  };
  contrast.requests += total;
  weigh(contrast.slowest, between(bins, total, 1.0 - slow_share, 1.0));
  weigh(contrast.median, between(bins, total, median_low, median_high));
}

void DriftTail::write(Json& object, const Contrast& contrast) {
  object.set("requests", static_cast<std::int64_t>(contrast.requests));
  const auto part = [](const Bin& bin) {
    Json out = Json::object();
    out.set("divergence_from_idle", bin.requests > 0.0 ? Json(bin.from_idle / bin.requests) : Json());
    out.set("divergence_pairwise", bin.requests > 0.0 ? Json(bin.pairwise / bin.requests) : Json());
    return out;
  };
  object.set("slowest_1_percent", part(contrast.slowest));
  object.set("median_10_percent", part(contrast.median));
  const auto ratio = [](double slow, double median) { return median > 0.0 ? Json(slow / median) : Json(); };
  object.set("ratio_from_idle", ratio(contrast.slowest.from_idle, contrast.median.from_idle));
  object.set("ratio_pairwise", ratio(contrast.slowest.pairwise, contrast.median.pairwise));
}

Json DriftTail::json() const {
  Contrast all;
  Json list = Json::array();
  for (int octave = 0; octave < octaves; ++octave) {
    Contrast one;
    for (int i = 0; i < strata_per_octave; ++i) {
      const Bins& bins = strata_[static_cast<std::size_t>(octave * strata_per_octave + i)];
      if (bins.empty()) continue;
      add_stratum(one, bins);
      add_stratum(all, bins);
    }
    if (one.requests <= 0.0) continue;
    Json& item = list.push_back(Json::object());
    item.set("output_tokens_from", std::int64_t{1} << octave);
    item.set("output_tokens_to", (std::int64_t{2} << octave) - 1);
    write(item, one);
  }
  Json out = Json::object();
  write(out, all);
  out.set("by_output_tokens", std::move(list));
  return out;
}

}  // namespace brink::telemetry
