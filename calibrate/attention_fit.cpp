#include "calibrate/attention_fit.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "calibrate/nelder_mead.h"
#include "models/base/error.h"
#include "models/base/units.h"
#include "models/cost/significant.h"

namespace brink::calibrate {
namespace {

using cost::AttentionHeads;
using cost::DecodeCost;
using cost::DecodeLaw;
using cost::EfficiencySurface;
using cost::HeadCounts;
using cost::KvResidency;
using cost::PrefillCost;
using cost::PrefillLaw;
using cost::PrefillWork;

constexpr double kOctaves = 2.0;          // correlation length of every axis, chosen by hold-out
constexpr double kDecodeNugget = 0.03;
constexpr double kPrefillNugget = 0.05;
constexpr double kFloorBytes = 1e6;       // below this the KV traffic is under 0.5 us wherever it lies

/// Rows that are one point of a surface, averaged over what the surface does not tell apart.
struct Merged {
  std::vector<std::int64_t> at;
  double log_seconds = 0.0;  // mean
  double count = 0.0;
  std::vector<std::int64_t> kind;  // what the law tells apart and the surface does not
};

/// `coordinate` gives the surface's coordinates, `width` of them, and then the kind.
std::vector<Merged> merge(const std::vector<const AttentionRow*>& rows, const std::function<std::vector<std::int64_t>(const AttentionRow&)>& coordinate,
                          std::ptrdiff_t width) {
  std::map<std::vector<std::int64_t>, std::pair<double, double>> sums;
  for (const AttentionRow* row : rows) {
    auto& [sum, count] = sums[coordinate(*row)];
    sum += std::log(row->time.value());
    count += 1.0;
  }
  std::vector<Merged> points;
  for (const auto& [at, sum] : sums)
    points.push_back({{at.begin(), at.begin() + width}, sum.first / sum.second, sum.second, {at.begin() + width, at.end()}});
  return points;
}

template <std::size_t Count>
std::array<double, Count> to_array(const std::vector<double>& x) {
  std::array<double, Count> out{};
  std::copy(x.begin(), x.end(), out.begin());
  return out;
}

// Within what they mean: no rate above the data sheet.
DecodeLaw bounded(DecodeLaw law, const cost::GpuFacts& gpu) {
  law.hbm_rate = std::min(law.hbm_rate, gpu.hbm_peak);
  law.l2_rate = std::min(law.l2_rate, gpu.l2_bandwidth);
  law.overlap_power = std::max(law.overlap_power, 1.0);
  return law;
}
PrefillLaw bounded(PrefillLaw law, const cost::GpuFacts& gpu) {
  law.mma_rate = std::min(law.mma_rate, gpu.peak_bf16);
  law.hbm_rate = std::min(law.hbm_rate, gpu.hbm_peak);
  law.overlap_power = std::max(law.overlap_power, 0.5);
  return law;
}

/// Minimises the weighted mean |log(law / measured)| over points.
template <class Law>
Law fit_law(Law law, const std::vector<Merged>& points, const std::function<double(const Law&, const Merged&)>& seconds, const cost::GpuFacts& gpu) {
  const auto loss = [&](const std::vector<double>& x) {
    Law trial = law;
    trial.set_parameters(to_array<Law::parameter_count>(x));
    trial = bounded(trial, gpu);
    double sum = 0.0;
    for (const Merged& point : points) sum += point.count * std::abs(std::log(seconds(trial, point)) - point.log_seconds);
    return sum;
  };
  const auto start = law.parameters();
  std::vector<double> best = minimise_positive(loss, {start.begin(), start.end()}, 0.15, 500);
  for (double& value : best) value = cost::round_significant(value);
  law.set_parameters(to_array<Law::parameter_count>(best));
  return bounded(law, gpu);
}

template <class Law>
EfficiencySurface fit_surface(const std::vector<std::string>& names, const std::vector<Merged>& points, const Law& law,
                              const std::function<double(const Law&, const Merged&)>& seconds, double nugget) {
  std::vector<EfficiencySurface::Axis> axes;
  for (const std::string& axis : names) axes.push_back({axis, kOctaves});
  std::vector<std::vector<std::int64_t>> at;
  std::vector<std::vector<double>> values;
  std::vector<double> counts;
  for (const Merged& point : points) {
    at.push_back(point.at);
    values.push_back({point.log_seconds - std::log(seconds(law, point))});
    counts.push_back(point.count);
  }
  return EfficiencySurface::fit(std::move(axes), at, values, counts, nugget);
}

std::vector<HeadCounts> head_counts(const std::vector<const AttentionRow*>& rows) {
  std::set<HeadCounts> heads;
  for (const AttentionRow* row : rows) heads.insert({row->heads.query, row->heads.kv});
  return {heads.begin(), heads.end()};
}

double kv_bytes(const AttentionRow& row) {
  return 2.0 * cost::bytes_per_element(row.kv) *
         static_cast<double>(row.batch * (row.cached + row.new_tokens) * row.heads.kv * row.heads.dimension);
}
bool is_cold(const AttentionRow& row) {
  return row.residency ? *row.residency == KvResidency::cold : Bytes(kv_bytes(row)) > DecodeCost::cold_limit();
}

DecodeCost build_decode(const std::vector<const AttentionRow*>& rows, std::int64_t dimension, cost::KvType kv, const cost::GpuFacts& gpu) {
  // Coordinates: sequences x KV heads (what fills the SMs), context, KV heads.
  const auto coordinate = [](const AttentionRow& row) {
    return std::vector<std::int64_t>{row.batch * row.heads.kv, row.cached + row.new_tokens, row.heads.kv, is_cold(row) ? 1 : 0};
  };
  const auto seconds = [&](KvResidency residency) {
    return std::function<double(const DecodeLaw&, const Merged&)>([&gpu, dimension, kv, residency](const DecodeLaw& law, const Merged& point) {
      const AttentionHeads heads{point.at[2], point.at[2], dimension};
      return law.time(static_cast<double>(point.at[0] / point.at[2]), static_cast<double>(point.at[1]), heads, kv, residency, gpu).value();
    });
  };
  const auto bytes = [&](const Merged& point) { return 2.0 * cost::bytes_per_element(kv) * static_cast<double>(point.at[0] * point.at[1] * dimension); };
  const auto cold_seconds = seconds(KvResidency::cold), warm_seconds = seconds(KvResidency::warm);
  const auto either = std::function<double(const DecodeLaw&, const Merged&)>([&](const DecodeLaw& law, const Merged& point) {
    return point.kind[0] == 1 ? cold_seconds(law, point) : warm_seconds(law, point);
  });
  const std::vector<Merged> all = merge(rows, coordinate, 3);
  const DecodeLaw law = fit_law(DecodeLaw{}, all, either, gpu);
  std::vector<Merged> cold, warm;
  for (const Merged& point : all) {
    const bool large = point.kind[0] == 1;
    // Launch-bound rows pin the fixed part of the cold surface, where residency cannot matter.
    if (large || bytes(point) < kFloorBytes) cold.push_back(point);
    if (!large) warm.push_back(point);
  }
  if (cold.empty() || warm.empty()) throw Error(fmt::format("decode attention, head dimension {}: rows with the KV in L2 and in HBM are needed", dimension));
  const std::vector<std::string> names{"sequences_x_kv_heads", "context", "kv_heads"};
  return {dimension, kv, law, fit_surface(names, cold, law, cold_seconds, kDecodeNugget), fit_surface(names, warm, law, warm_seconds, kDecodeNugget),
          head_counts(rows), gpu};
}

PrefillCost build_prefill(const std::vector<const AttentionRow*>& rows, std::int64_t dimension, cost::KvType kv, const cost::GpuFacts& gpu) {
  // Coordinates: sequence length, sequences x query heads, query heads a KV head. Batch and heads enter the law
  // only through their product, so one sequence with all the heads stands for the batch.
  // A prefix lengthens it to the square causal batch with the same rows and attended area, as estimates do.
  const auto coordinate = [](const AttentionRow& row) {
    const std::int64_t length = row.new_tokens + 2 * row.cached;
    const std::int64_t sequences = row.cached == 0 ? row.batch * row.heads.query
                                                   : std::max<std::int64_t>(row.batch * row.heads.query * row.new_tokens / length, 1);
    return std::vector<std::int64_t>{length, sequences, row.heads.query / row.heads.kv, row.new_tokens, row.cached, row.batch * row.heads.query};
  };
  const std::function<double(const PrefillLaw&, const Merged&)> seconds = [dimension, kv, &gpu](const PrefillLaw& law, const Merged& point) {
    const AttentionHeads heads{point.kind[2], point.kind[2] / point.at[2], dimension};
    return law.time(PrefillWork::chunk(point.kind[0], point.kind[1]), heads, kv, gpu).value();
  };
  const std::vector<Merged> all = merge(rows, coordinate, 3);
  const PrefillLaw law = fit_law(PrefillLaw{}, all, seconds, gpu);
  return {dimension, kv, law, fit_surface({"length", "sequences_x_query_heads", "query_heads_per_kv_head"}, all, law, seconds, kPrefillNugget),
          head_counts(rows), gpu};
}

std::vector<const AttentionRow*> pointers(const AttentionGroup& group) {
  std::vector<const AttentionRow*> rows;
  for (const AttentionRow& row : group.rows) rows.push_back(&row);
  return rows;
}

std::string identifier(const AttentionRow& row) {
  return fmt::format("batch={} new={} cached={} heads={}/{} d={}", row.batch, row.new_tokens, row.cached, row.heads.query, row.heads.kv, row.heads.dimension);
}

using Predict = std::function<Seconds(const AttentionRow&)>;
using GroupName = std::function<std::string(const AttentionRow&)>;
/// A predictor fitted to a part of the rows.
using Refit = std::function<Predict(const std::vector<const AttentionRow*>&)>;

void compare(const AttentionRow& row, const GroupName& group, const Predict& predict, bool held_out, std::vector<ValidationRow>& out) {
  out.push_back({group(row) + (row.kv == cost::KvType::fp8 ? "_fp8kv" : ""), identifier(row), "latency_us", to_us(row.time), to_us(predict(row)), held_out});
}

void cross_validate(const AttentionGroup& group, const GroupName& name, const Predict& in_sample, const Refit& refit, std::vector<ValidationRow>& out) {
  const auto rows = pointers(group);
  for (const AttentionRow* row : rows) compare(*row, name, in_sample, false, out);
  const std::vector<HeadCounts> heads = head_counts(rows);
  const std::vector<std::size_t> fold = assign_folds(heads.size(), kFolds);
  const auto fold_of = [&](const AttentionRow& row) {
    const auto at = std::lower_bound(heads.begin(), heads.end(), HeadCounts{row.heads.query, row.heads.kv});
    return fold[static_cast<std::size_t>(at - heads.begin())];
  };
  for (std::size_t held = 0; held < kFolds; ++held) {
    std::vector<const AttentionRow*> training;
    for (const AttentionRow* row : rows)
      if (fold_of(*row) != held) training.push_back(row);
    if (training.size() == rows.size()) continue;
    const Predict predict = refit(training);
    for (const AttentionRow* row : rows)
      if (fold_of(*row) == held) compare(*row, name, predict, true, out);
  }
}

Predict decode_predictor(const DecodeCost& cost) {
  return [cost](const AttentionRow& row) {
    const double context = static_cast<double>(row.batch * (row.cached + row.new_tokens));
    return cost.estimate({row.batch, Tokens(context)}, row.heads, row.residency.value_or(KvResidency::warm)).time;
  };
}

Predict prefill_predictor(const PrefillCost& cost) {
  return [cost](const AttentionRow& row) { return cost.estimate(PrefillWork::chunk(row.new_tokens, row.cached) * row.batch, row.heads).time; };
}

}  // namespace

std::vector<AttentionGroup> group_attention(const std::vector<AttentionRow>& rows) {
  std::map<std::pair<int, std::int64_t>, AttentionGroup> groups;
  for (const AttentionRow& row : rows) {
    AttentionGroup& group = groups[{static_cast<int>(row.kv), row.heads.dimension}];
    group.head_dimension = row.heads.dimension;
    group.kv = row.kv;
    group.rows.push_back(row);
  }
  std::vector<AttentionGroup> out;
  for (auto& entry : groups) out.push_back(std::move(entry.second));
  return out;
}

DecodeCost fit_decode(const AttentionGroup& group, const cost::GpuFacts& gpu) { return build_decode(pointers(group), group.head_dimension, group.kv, gpu); }
PrefillCost fit_prefill(const AttentionGroup& group, const cost::GpuFacts& gpu) { return build_prefill(pointers(group), group.head_dimension, group.kv, gpu); }

void validate_decode(const AttentionGroup& group, const cost::GpuFacts& gpu, const DecodeCost& fitted, std::vector<ValidationRow>& out) {
  const GroupName name = [](const AttentionRow& row) { return is_cold(row) ? "attention_decode_cold" : "attention_decode_warm"; };
  cross_validate(group, name, decode_predictor(fitted), [&](const std::vector<const AttentionRow*>& rows) {
    return decode_predictor(build_decode(rows, group.head_dimension, group.kv, gpu));
  }, out);
}

void validate_prefill(const AttentionGroup& group, const cost::GpuFacts& gpu, const PrefillCost& fitted, std::vector<ValidationRow>& out) {
  const GroupName name = [](const AttentionRow&) { return "attention_prefill"; };
  cross_validate(group, name, prefill_predictor(fitted), [&](const std::vector<const AttentionRow*>& rows) {
    return prefill_predictor(build_prefill(rows, group.head_dimension, group.kv, gpu));
  }, out);
}

}  // namespace brink::calibrate
