// Section "cascades" of the summary.
#include <array>

#include "sim/telemetry/cascades.h"

namespace brink::telemetry {

namespace {

void set_effect(Json& out, Seconds delay, const Cascade& cascade) {
  out.set("delay_s", delay.value());
  out.set("request_delay_s", cascade.request_delay.value());
  out.set("amplification", cascade.amplification());
  out.set("requests_touched", cascade.requests);
  out.set("slo_violations", cascade.slo_violations);
}

}  // namespace

Json Cascades::by_kind() const {
  constexpr std::size_t kinds = static_cast<std::size_t>(world::EventKind::failure) + 1;
  std::array<std::int64_t, kinds> events{}, count{};
  for (world::CauseId id = 1; id <= ledger_.size(); ++id) {
    const auto kind = static_cast<std::size_t>(ledger_[id].event.kind);
    ++events[kind];
    count[kind] += ledger_[id].count;
  }
  Json out = Json::object();
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    if (events[kind] == 0) continue;
    Json& entry = out.set(world::name(static_cast<world::EventKind>(kind)), Json::object());
    entry.set("events", events[kind]);
    entry.set("count", count[kind]);
  }
  return out;
}

Json Cascades::cascade_json(const Cascade& cascade) const {
  const world::LedgerEvent& root = ledger_[cascade.root].event;
  Json out = Json::object();
  out.set("root", static_cast<std::int64_t>(cascade.root));
  out.set("kind", world::name(root.kind));
  out.set("condition", root.condition >= 0 ? Json(static_cast<int>(root.condition)) : Json());
  out.set("detail", root.detail);
  out.set("replica", root.replica.value);
  out.set("rank", root.rank >= 0 ? Json(root.rank) : Json());
  out.set("from_s", root.at.value());
  out.set("until_s", cascade.until.value());
  set_effect(out, cascade.delay, cascade);
  Json& chain = out.set("chain", Json::array());
  for (const CascadeLink& link : cascade.chain) {
    Json& entry = chain.push_back(Json::object());
    entry.set("kind", world::name(link.kind));
    entry.set("depth", static_cast<std::int64_t>(link.depth));
    entry.set("events", link.events);
    entry.set("count", link.count);
    entry.set("delay_s", link.delay.value());
    entry.set("amount", link.amount);
  }
  return out;
}

// A condition that comes and goes has a root for each time and replica: here they are one.
Json Cascades::conditions_json(const std::vector<Cascade>& roots) const {
  struct Total {
    Cascade sum;
    std::int64_t roots = 0;
  };
  std::map<std::int32_t, Total> totals;
  for (const Cascade& cascade : roots) {
    const std::int32_t condition = ledger_[cascade.root].event.condition;
    if (condition < 0) continue;
    Total& total = totals[condition];
    ++total.roots;
    total.sum.delay += cascade.delay;
    total.sum.request_delay += cascade.request_delay;
    total.sum.requests += cascade.requests;
    total.sum.slo_violations += cascade.slo_violations;
  }
  Json out = Json::array();
  for (const auto& [condition, total] : totals) {
    Json& entry = out.push_back(Json::object());
    entry.set("condition", static_cast<int>(condition));
    entry.set("roots", total.roots);
    set_effect(entry, total.sum.delay, total.sum);
  }
  return out;
}

Json Cascades::json() const {
  const std::vector<Cascade> all = roots();
  Json out = Json::object();
  out.set("events", static_cast<std::int64_t>(ledger_.size()));
  out.set("dropped_events", ledger_.dropped());
  out.set("dropped_delay_s", ledger_.dropped_delay().value());
  out.set("roots", static_cast<std::int64_t>(all.size()));
  out.set("unexplained_slo_violations", unexplained_.slo_violations);
  out.set("by_kind", by_kind());
  out.set("conditions", conditions_json(all));
  Json& top_list = out.set("top", Json::array());
  for (const Cascade& cascade : top()) top_list.push_back(cascade_json(cascade));
  return out;
}

}  // namespace brink::telemetry
