#include "sim/telemetry/wait_stats.h"

#include <algorithm>

namespace brink::telemetry {

namespace {

constexpr std::size_t slowest_max = 10;  // rows of the list of slowest ranks

}  // namespace

Seconds skew_of(std::span<const Seconds> wait) {
  if (wait.empty()) return Seconds(0.0);
  const auto [low, high] = std::minmax_element(wait.begin(), wait.end());
  return *high - *low;
}

void WaitStats::add(const serving::StepRecord& record) {
  if (record.start < warmup_) return;
  ++steps_;
  if (record.wait.empty()) return;
  const auto index = static_cast<std::size_t>(record.replica.value);
  if (index >= ranks_.size()) ranks_.resize(index + 1);
  std::vector<Rank>& ranks = ranks_[index];
  if (ranks.size() < record.wait.size()) ranks.resize(record.wait.size());
  for (std::size_t i = 0; i < record.wait.size(); ++i) ranks[i].wait += record.wait[i];
  if (record.slowest_rank >= 0 && static_cast<std::size_t>(record.slowest_rank) < ranks.size()) {
    ++ranks[static_cast<std::size_t>(record.slowest_rank)].slowest;
  }
  skew_.add(skew_of(record.wait).value());
  sync_ += record.sync;
}

Json WaitStats::json() const {
  struct Row {
    std::int64_t replica, rank;
    Rank totals;
  };
  std::vector<Row> rows;
  std::vector<Rank> by_rank;
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    if (by_rank.size() < ranks_[i].size()) by_rank.resize(ranks_[i].size());
    for (std::size_t j = 0; j < ranks_[i].size(); ++j) {
      by_rank[j].wait += ranks_[i][j].wait;
      by_rank[j].slowest += ranks_[i][j].slowest;
      rows.push_back({static_cast<std::int64_t>(i), static_cast<std::int64_t>(j), ranks_[i][j]});
    }
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.totals.slowest > b.totals.slowest; });

  LogHistogram all = skew_;
  const auto waiting = static_cast<std::int64_t>(skew_.count());
  if (steps_ > waiting) all.add(0.0, static_cast<std::uint64_t>(steps_ - waiting));
  Seconds total(0.0);
  for (const Rank& rank : by_rank) total += rank.wait;
  const auto quantile_ms = [&all](double q) { return all.count() > 0 ? Json(all.quantile(q) * 1e3) : Json(); };

  Json out = Json::object();
  out.set("steps", waiting);
  out.set("step_share", steps_ > 0 ? Json(static_cast<double>(waiting) / static_cast<double>(steps_)) : Json());
  out.set("sync_s", sync_.value());
  out.set("wait_s", total.value());
  out.set("skew_ms_p50", quantile_ms(0.5));
  out.set("skew_ms_p95", quantile_ms(0.95));
  out.set("skew_ms_p99", quantile_ms(0.99));
  out.set("skew_ms_max", quantile_ms(1.0));
  Json& waits = out.set("wait_s_by_rank", Json::array());
  for (const Rank& rank : by_rank) waits.push_back(Json(rank.wait.value()));
  Json& slowest = out.set("slowest", Json::array());
  for (const Row& row : rows) {
    if (row.totals.slowest == 0 || slowest.items().size() == slowest_max) break;
    Json& entry = slowest.push_back(Json::object());
    entry.set("replica", row.replica);
    entry.set("rank", row.rank);
    entry.set("steps", row.totals.slowest);
    entry.set("wait_s", row.totals.wait.value());
  }
  return out;
}

}  // namespace brink::telemetry
