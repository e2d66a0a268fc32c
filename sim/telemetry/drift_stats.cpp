#include "sim/telemetry/drift_stats.h"

#include <algorithm>
#include <cmath>

#include "sim/telemetry/latency.h"
#include "sim/telemetry/load_bucket.h"

namespace brink::telemetry {

namespace {

/// One item for each bucket that has requests; `from` and `to` tell what each holds.
template <class Tallies, class Range>
Json list_of(const Tallies& tallies, const char* what, Range range) {
  Json out = Json::array();
  for (std::size_t i = 0; i < tallies.size(); ++i) {
    if (tallies[i].requests == 0) continue;
    Json& item = out.push_back(Json::object());
    const auto [from, to] = range(i);
    item.set(std::string(what) + "_from", from);
    item.set(std::string(what) + "_to", to);
    tallies[i].write(item);
  }
  return out;
}

std::pair<std::int64_t, std::int64_t> power_range(std::size_t bucket) { return {load_first(bucket), load_last(bucket)}; }

/// Zero has a bucket of its own, the first.
std::pair<std::int64_t, std::int64_t> switch_range(std::size_t bucket) {
  return bucket == 0 ? std::pair<std::int64_t, std::int64_t>{0, 0} : power_range(bucket - 1);
}

}  // namespace

void DriftStats::add(const serving::RequestRecord& record) {
  if (record.arrival < warmup_ || record.outcome != serving::Outcome::completed) return;
  const serving::DriftOutcome& drift = record.drift;
  const std::int64_t tokens = record.output_tokens;
  if (record.truncated) return other_input_.add(drift, tokens);
  all_.add(drift, tokens);
  const memory::RegimeState held{record.regime_bits, memory::Regime::normal};
  for (std::size_t i = 0; i + 1 < memory::regime_count; ++i) {
    if (held.holds(static_cast<memory::Regime>(i))) by_regime_[i].add(drift, tokens);
  }
  if (record.regime_bits == 0) by_regime_.back().add(drift, tokens);
  const std::size_t switches = record.plan_switches <= 0 ? 0 : 1 + load_bucket(record.plan_switches);
  by_switches_[std::min(switches, powers - 1)].add(drift, tokens);
  by_length_[std::min(load_bucket(tokens), powers - 1)].add(drift, tokens);
  add_positions(drift, tokens);
  tail_.add(latencies_of(record).e2e, drift, tokens);
  early_.add(record.tenant, drift, tokens);
}

// P(first flip at token t) = h (1 - h)^(t - s) from the first exposed token s on, summed over each bucket.
void DriftStats::add_positions(const serving::DriftOutcome& drift, std::int64_t output_tokens) {
  const std::int64_t start = output_tokens - drift.exposed_tokens + 1;
  const double rate = hazard_ < 1.0 ? -std::log1p(-hazard_) : HUGE_VAL;
  const auto kept = [&](std::int64_t tokens) { return tokens > 0 ? std::exp(-rate * static_cast<double>(tokens)) : 1.0; };
  double before = 1.0;  // P(no flip before the bucket)
  for (std::size_t i = 0; i < powers && load_first(i) <= output_tokens; ++i) {
    const std::int64_t first = load_first(i), last = std::min(load_last(i), output_tokens);
    Position& position = by_position_[i];
    position.tokens += last - first + 1;
    if (last < start) continue;
    position.exposed += last - std::max(first, start) + 1;
    const double after = kept(last - start + 1);
    position.first_flips += before - after;
    before = after;
  }
}

Json DriftStats::law_json() const {
  Json out = Json::object();
  out.set("rho_per_nat", law_.margin_density.value());
  out.set("delta_median_nats", law_.delta_median.value());
  out.set("delta_shape", drift::name(law_.shape));
  out.set("changed_share", law_.changed_share);
  out.set("flip_if_changed", law_.flip_if_changed());
  out.set("hazard_per_token", hazard_);
  return out;
}

Json DriftStats::regimes_json() const {
  Json out = Json::object();
  for (std::size_t i = 0; i < by_regime_.size(); ++i) {
    if (by_regime_[i].requests > 0) by_regime_[i].write(out.set(memory::name(static_cast<memory::Regime>(i)), Json::object()));
  }
  return out;
}

Json DriftStats::positions_json() const {
  Json out = Json::array();
  for (std::size_t i = 0; i < powers; ++i) {
    const Position& position = by_position_[i];
    if (position.tokens == 0) continue;
    const auto tokens = static_cast<double>(position.tokens);
    Json& item = out.push_back(Json::object());
    item.set("token_from", load_first(i));
    item.set("token_to", load_last(i));
    item.set("tokens", position.tokens);
    item.set("exposed_share", static_cast<double>(position.exposed) / tokens);
    item.set("first_flips", position.first_flips);
    item.set("first_flips_per_token", position.first_flips / tokens);
  }
  return out;
}

Json DriftStats::json() const {
  Json out = Json::object();
  out.set("law", law_json());
  all_.write(out);
  other_input_.write(out.set("different_input", Json::object()));
  out.set("by_regime", regimes_json());
  out.set("by_plan_switches", list_of(by_switches_, "switches", switch_range));
  out.set("by_output_tokens", list_of(by_length_, "output_tokens", power_range));
  out.set("by_token", positions_json());
  out.set("tail", tail_.json());
  out.set("early", early_.json());
  return out;
}

}  // namespace brink::telemetry
