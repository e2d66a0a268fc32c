#include "sim/telemetry/cascades.h"

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

#include "sim/telemetry/latency.h"

namespace brink::telemetry {

namespace {

constexpr std::size_t kinds = static_cast<std::size_t>(world::EventKind::failure) + 1;

double ratio(Seconds effect, Seconds cause) {
  return cause.value() > 0.0 ? effect / cause : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

double Cascade::amplification() const { return ratio(request_delay, delay); }

void Cascades::add(const serving::RequestRecord& record) {
  if (record.arrival < warmup_) return;
  const bool violates = record.outcome == serving::Outcome::completed && !within(latencies_of(record), slo_);
  if (record.cause == 0) {
    unexplained_.slo_violations += violates ? 1 : 0;
    return;
  }
  Effect& effect = effects_[ledger_.root(record.cause)];
  effect.delay += record.caused_delay;
  ++effect.requests;
  if (!violates) return;
  ++effect.slo_violations;
  world::CauseId& event = violations_[{record.cause, record.replica.value}];
  if (event != 0) {
    ledger_.extend(event, record.finish, Seconds(0.0));
    return;
  }
  world::LedgerEvent violation;
  violation.kind = world::EventKind::slo_violation;
  violation.at = record.finish;
  violation.replica = record.replica;
  violation.cause = record.cause;
  event = ledger_.add(violation);
}

std::vector<Cascade> Cascades::roots() const {
  std::vector<Cascade> out;
  std::vector<std::uint32_t> position(ledger_.size() + 1, 0);  // of a root in `out`
  std::vector<Seconds> direct;                                 // delay of the events a root caused itself
  for (world::CauseId id = 1; id <= ledger_.size(); ++id) {
    const LedgerEntry& entry = ledger_[id];
    if (entry.depth == 0) {
      position[id] = static_cast<std::uint32_t>(out.size());
      Cascade cascade;
      cascade.root = id;
      cascade.delay = entry.event.delay;
      out.push_back(std::move(cascade));
      direct.emplace_back(0.0);
    }
    Cascade& cascade = out[position[entry.root]];
    cascade.until = std::max(cascade.until, entry.until);
    if (entry.depth == 1) direct[position[entry.root]] += entry.event.delay;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i].delay.value() <= 0.0) out[i].delay = direct[i];
  }
  for (const auto& [root, effect] : effects_) {
    Cascade& cascade = out[position[root]];
    cascade.request_delay = effect.delay;
    cascade.requests = effect.requests;
    cascade.slo_violations = effect.slo_violations;
  }
  return out;
}

void Cascades::add_chains(std::vector<Cascade>& cascades) const {
  std::map<world::CauseId, std::array<CascadeLink, kinds>> links;
  for (const Cascade& cascade : cascades) links[cascade.root];
  for (world::CauseId id = 1; id <= ledger_.size(); ++id) {
    const LedgerEntry& entry = ledger_[id];
    if (entry.depth == 0) continue;
    const auto found = links.find(entry.root);
    if (found == links.end()) continue;
    CascadeLink& link = found->second[static_cast<std::size_t>(entry.event.kind)];
    link.depth = link.events == 0 ? entry.depth : std::min(link.depth, entry.depth);
    link.kind = entry.event.kind;
    ++link.events;
    link.count += entry.count;
    link.delay += entry.event.delay;
    link.amount += entry.event.amount;
  }
  for (Cascade& cascade : cascades) {
    for (const CascadeLink& link : links.at(cascade.root)) {
      if (link.events > 0) cascade.chain.push_back(link);
    }
    std::stable_sort(cascade.chain.begin(), cascade.chain.end(),
                     [](const CascadeLink& a, const CascadeLink& b) { return a.depth < b.depth; });
  }
}

std::vector<Cascade> Cascades::top(std::size_t count) const {
  std::vector<Cascade> out = roots();
  const auto order = [](const Cascade& a, const Cascade& b) {
    return std::tuple(-a.request_delay.value(), -a.delay.value(), -a.requests, a.root) <
           std::tuple(-b.request_delay.value(), -b.delay.value(), -b.requests, b.root);
  };
  count = std::min(count, out.size());
  std::partial_sort(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(count), out.end(), order);
  out.resize(count);
  add_chains(out);
  return out;
}

}  // namespace brink::telemetry
