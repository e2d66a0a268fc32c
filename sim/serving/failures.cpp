#include "sim/serving/failures.h"

#include <algorithm>

namespace brink::serving {

namespace {

enum Kind : std::uint32_t { fail_event, recover_event };

}  // namespace

void Failures::start(std::size_t replicas) {
  reasons_.assign(replicas, 0);
  for (std::size_t i = 0; i < failures_.size(); ++i) {
    const Failure& f = failures_[i];
    parts_.clock.schedule(f.at, world::Priority::condition, component_, *this, fail_event, i);
    if (!f.recovers_after) continue;
    ++recoveries_to_come_;
    parts_.clock.schedule(f.at + *f.recovers_after, world::Priority::condition, component_, *this, recover_event, i);
  }
  parts_.gateway.set_hope(recoveries_to_come_ > 0);
}

void Failures::on_event(std::uint32_t kind, std::uint64_t data) {
  // Who has served everybody is not asked any more.
  if (parts_.gateway.done()) return;
  const Failure& failure = failures_[static_cast<std::size_t>(data)];
  if (kind == fail_event) {
    fail(failure);
  } else {
    recover(failure);
  }
}

void Failures::fail(const Failure& failure) {
  world::LedgerEvent event;
  event.kind = world::EventKind::failure;
  event.at = parts_.clock.now();
  event.condition = failure.condition;
  event.rank = failure.rank;
  event.replica = ReplicaId{failure.replicas.front()};
  event.detail = failure.detail;
  std::vector<std::size_t> down;
  for (const std::size_t i : failure.replicas) {
    if (reasons_[i]++ == 0) down.push_back(i);
  }
  const world::CauseId cause = parts_.ledger.add(event);
  const std::int64_t lost = parts_.gateway.fail(down, failure.on_failure == OnFailure::retry, cause);
  parts_.ledger.extend(cause, event.at, Seconds(0.0), static_cast<double>(lost), 0);
  stats_.failures += static_cast<std::int64_t>(down.size());
  stats_.lost += lost;
}

void Failures::recover(const Failure& failure) {
  --recoveries_to_come_;
  for (const std::size_t i : failure.replicas) {
    if (--reasons_[i] > 0) continue;
    parts_.gateway.recover(i);
    ++stats_.recoveries;
  }
  parts_.gateway.set_hope(recoveries_to_come_ > 0);
}

}  // namespace brink::serving
