#include "sim/telemetry/ledger.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "models/base/error.h"
#include "models/base/json.h"

namespace brink::telemetry {

world::CauseId Ledger::add(const world::LedgerEvent& event) {
  if (event.cause > entries_.size()) {
    throw Error(fmt::format("the ledger has {} events and a new one names {} as its cause", entries_.size(), event.cause));
  }
  if (entries_.size() >= events_max_) {
    ++dropped_;
    dropped_delay_ += event.delay;
    return 0;
  }
  const auto id = static_cast<world::CauseId>(entries_.size() + 1);
  LedgerEntry entry{event, event.at, 1, id, 0};
  if (event.cause != 0) {
    const LedgerEntry& cause = entries_[event.cause - 1];
    entry.root = cause.root;
    entry.depth = cause.depth + 1;
  }
  entries_.push_back(std::move(entry));
  return id;
}

void Ledger::extend(world::CauseId event, Seconds until, Seconds delay, double amount, std::int64_t count) {
  if (event == 0) return;
  if (event > entries_.size()) {
    throw Error(fmt::format("the ledger has {} events, and event {} cannot go on", entries_.size(), event));
  }
  LedgerEntry& entry = entries_[event - 1];
  entry.until = std::max(entry.until, until);
  entry.event.delay += delay;
  entry.event.amount += amount;
  entry.count += count;
}

std::string Ledger::jsonl() const {
  std::string out;
  auto to = std::back_inserter(out);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const LedgerEntry& entry = entries_[i];
    const world::LedgerEvent& event = entry.event;
    fmt::format_to(to, R"({{"id":{},"kind":"{}","at_s":{:.9f},"until_s":{:.9f},"replica":{},"rank":{},"cause":{},)",
                   i + 1, world::name(event.kind), event.at.value(), entry.until.value(), event.replica.value,
                   event.rank, event.cause);
    fmt::format_to(to, R"("delay_s":{:.9f},"amount":{},"count":{},"condition":{},"detail":{}}})", event.delay.value(),
                   Json(event.amount).dump(), entry.count, event.condition, Json(event.detail).dump());
    out += '\n';
  }
  return out;
}

}  // namespace brink::telemetry
