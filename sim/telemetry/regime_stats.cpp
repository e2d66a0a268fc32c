#include "sim/telemetry/regime_stats.h"

#include <algorithm>

#include "sim/telemetry/text.h"

namespace brink::telemetry {

namespace {

const char* regime_name(std::size_t i) { return memory::name(static_cast<memory::Regime>(i)); }

Seconds sum(const std::array<Seconds, memory::regime_count>& times) {
  Seconds total(0.0);
  for (const Seconds time : times) total += time;
  return total;
}

}  // namespace

void RegimeStats::spend(Totals& totals, const memory::RegimeState& state, Seconds time) {
  totals.label[static_cast<std::size_t>(state.label)] += time;
  if (state.bits == 0) {
    totals.holds[static_cast<std::size_t>(memory::Regime::normal)] += time;
    return;
  }
  for (std::size_t i = 0; i + 1 < regimes; ++i) {
    if (state.holds(static_cast<memory::Regime>(i))) totals.holds[i] += time;
  }
}

void RegimeStats::add(const serving::StepRecord& record) {
  const auto index = static_cast<std::size_t>(record.replica.value);
  if (index >= replicas_.size()) replicas_.resize(index + 1);
  for (const memory::RegimeChange& to : record.regime_changes) change(replicas_[index], to);
}

void RegimeStats::change(Replica& replica, const memory::RegimeChange& to) const {
  const Seconds from = std::max(replica.since, warmup_);
  if (to.at > from) spend(replica.totals, replica.now, to.at - from);
  if (to.at >= warmup_ && to.state.label != replica.now.label) {
    ++replica.totals.transitions[static_cast<std::size_t>(replica.now.label)][static_cast<std::size_t>(to.state.label)];
  }
  replica.now = to.state;
  replica.since = to.at;
}

std::vector<RegimeStats::Totals> RegimeStats::totals(Seconds end) const {
  std::vector<Totals> out;
  Totals all;
  for (const Replica& replica : replicas_) {
    out.push_back(replica.totals);
    Totals& one = out.back();
    const Seconds from = std::max(replica.since, warmup_);
    if (end > from) spend(one, replica.now, end - from);
    for (std::size_t i = 0; i < regimes; ++i) {
      all.label[i] += one.label[i];
      all.holds[i] += one.holds[i];
      for (std::size_t j = 0; j < regimes; ++j) all.transitions[i][j] += one.transitions[i][j];
    }
  }
  out.push_back(all);
  return out;
}

Json RegimeStats::json(Seconds end) const {
  const Totals all = totals(end).back();
  const Seconds time = sum(all.label);
  const auto share = [time](Seconds part) { return time.value() > 0.0 ? Json(part / time) : Json(); };
  Json out = Json::object();
  Json label = Json::object(), holds = Json::object(), list = Json::array();
  std::int64_t count = 0;
  for (std::size_t i = 0; i < regimes; ++i) {
    label.set(regime_name(i), share(all.label[i]));
    holds.set(regime_name(i), share(all.holds[i]));
    for (std::size_t j = 0; j < regimes; ++j) {
      if (all.transitions[i][j] == 0) continue;
      count += all.transitions[i][j];
      Json& entry = list.push_back(Json::object());
      entry.set("from", regime_name(i));
      entry.set("to", regime_name(j));
      entry.set("count", all.transitions[i][j]);
    }
  }
  out.set("replica_s", time.value());
  out.set("label_share", std::move(label));
  out.set("holds_share", std::move(holds));
  out.set("transitions", count);
  out.set("transitions_by_pair", std::move(list));
  return out;
}

std::string RegimeStats::csv(Seconds end) const {
  std::string out = "replica,regime,label_s,label_share,holds_s,holds_share,entered";
  for (std::size_t j = 0; j < regimes; ++j) out += std::string(",to_") + regime_name(j);
  out += '\n';
  const std::vector<Totals> all = totals(end);
  for (std::size_t n = 0; n < all.size(); ++n) {
    const std::size_t index = (n + all.size() - 1) % all.size();  // the sum first
    const Totals& one = all[index];
    const Seconds time = sum(one.label);
    for (std::size_t i = 0; i < regimes; ++i) {
      std::int64_t entered = 0;
      for (std::size_t j = 0; j < regimes; ++j) entered += one.transitions[j][i];
      n == 0 ? out += "all" : out += std::to_string(index);
      out += std::string(",") + regime_name(i) + ",";
      append_seconds(out, one.label[i]), out += ',';
      append_decimal(out, time.value() > 0.0 ? one.label[i] / time : 0.0), out += ',';
      append_seconds(out, one.holds[i]), out += ',';
      append_decimal(out, time.value() > 0.0 ? one.holds[i] / time : 0.0), out += ',';
      append(out, entered);
      for (std::size_t j = 0; j < regimes; ++j) out += ',', append(out, one.transitions[i][j]);
      out += '\n';
    }
  }
  return out;
}

}  // namespace brink::telemetry
