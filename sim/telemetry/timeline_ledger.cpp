// The ledger in the timeline: a mark for each event, arrows from causes to their effects.
#include <iterator>

#include <fmt/format.h>

#include "models/base/json.h"
#include "sim/telemetry/timeline.h"

namespace brink::telemetry {

namespace {

// Arrows start and end inside slices: viewers bind them to the slice that is open at their instant.
constexpr double mark_us = 1.0, arrow_us = 0.5;

}  // namespace

// Event phases: X complete, s and f the two ends of a flow.
void Timeline::add(const Ledger& ledger) {
  for (world::CauseId id = 1; id <= ledger.size(); ++id) {
    const LedgerEntry& entry = ledger[id];
    const std::uint64_t replica = entry.event.replica.value;
    const std::int64_t thread = first_ledger_thread + static_cast<std::int64_t>(entry.event.kind);
    known_replica(replica);
    name_thread(replica, thread, fmt::format("ledger: {}", world::name(entry.event.kind)));
    begin_event();
    auto to = std::back_inserter(events_);
    fmt::format_to(to, R"({{"name":"{}","cat":"ledger","ph":"X","ts":{:.3f},"dur":{:.3f},"pid":{},"tid":{},)",
                   world::name(entry.event.kind), to_us(entry.event.at), mark_us, replica, thread);
    fmt::format_to(to, R"("args":{{"id":{},"cause":{},"root":{},"until_s":{:.9f},"delay_ms":{:.6f},)", id,
                   entry.event.cause, entry.root, entry.until.value(), to_ms(entry.event.delay));
    fmt::format_to(to, R"("amount":{},"count":{},"condition":{},"detail":{}}}}})", Json(entry.event.amount).dump(),
                   entry.count, entry.event.condition, Json(entry.event.detail).dump());
    if (entry.event.cause != 0) add_arrow(id, ledger);
  }
}

void Timeline::add_arrow(world::CauseId id, const Ledger& ledger) {
  const auto end = [&](world::CauseId event, const char* phase, const char* binding) {
    const world::LedgerEvent& at = ledger[event].event;
    begin_event();
    fmt::format_to(std::back_inserter(events_),
                   R"({{"name":"cause","cat":"ledger","ph":"{}"{},"id":{},"ts":{:.3f},"pid":{},"tid":{}}})", phase, binding,
                   id, to_us(at.at) + arrow_us, at.replica.value, first_ledger_thread + static_cast<std::int64_t>(at.kind));
  };
  end(ledger[id].event.cause, "s", "");
  end(id, "f", R"(,"bp":"e")");
}

}  // namespace brink::telemetry
