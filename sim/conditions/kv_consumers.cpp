#include "sim/conditions/kv_consumers.h"

namespace brink::conditions {

KvConsumers::KvConsumers(const KvConsumerSettings& settings, const Parts& parts) : replica_(parts.replica) {
  const auto events = [&](std::int32_t condition, const std::string& name) {
    return PinEvents(parts.ledger, parts.replica, condition, name);
  };
  const auto budget = [&](const auto& s) { return s.coordinated ? KvBudget(s.budget_ratio, budgeted_) : KvBudget(); };
  for (const CheckpointSettings& s : settings.checkpoints) {
    if (!s.target.covers(replica_)) continue;
    checkpoints_.push_back(std::make_unique<Checkpoint>(
        s, Checkpoint::Parts{parts.owner, link(s.link, s.rate, s.latency, parts), budget(s), events(s.condition, s.name)}));
    all_.push_back(checkpoints_.back().get());
  }
  for (const ReplicationSettings& s : settings.replications) {
    if (!s.target.covers(replica_)) continue;
    replications_.push_back(std::make_unique<Replication>(
        s, Replication::Parts{parts.owner, link(s.link, s.rate, s.latency, parts), budget(s), events(s.condition, s.name)}));
    all_.push_back(replications_.back().get());
  }
  if (settings.forced_evaporation) {
    forced_ = std::make_unique<ForcedEvaporation>(*settings.forced_evaporation, parts.clock, parts.component, parts.owner,
                                                  events(-1, "isr_threshold_512"));
    all_.push_back(forced_.get());
  }
  if (settings.mid_collective_eviction) {
    eviction_ = std::make_unique<MidCollectiveEviction>(*settings.mid_collective_eviction,
                                                        events(-1, "kv_evicted_mid_collective"));
    all_.push_back(eviction_.get());
  }
  budgeted_.assign(all_.begin(), all_.end());
}

ILink& KvConsumers::link(const std::string& name, BytesPerSecond rate, Seconds latency, const Parts& parts) {
  std::unique_ptr<FifoLink>& link = links_[name];
  if (!link) link = std::make_unique<FifoLink>(parts.clock, parts.component, rate, latency);
  return *link;
}

void KvConsumers::on_batch(const serving::KvView& view, std::int64_t tokens) {
  for (serving::IKvConsumer* consumer : all_) consumer->on_batch(view, tokens);
}

std::int64_t KvConsumers::retain(const serving::KvView& view, const serving::KvDeparture& request,
                                 std::int64_t held_already) {
  std::int64_t blocks = 0;
  for (serving::IKvConsumer* consumer : all_) blocks += consumer->retain(view, request, held_already + blocks);
  return blocks;
}

std::int64_t KvConsumers::pinned() const {
  std::int64_t blocks = 0;
  for (const serving::IKvConsumer* consumer : all_) blocks += consumer->pinned();
  return blocks;
}

world::CauseId KvConsumers::cause() const {
  std::int64_t most = 0;
  world::CauseId cause = 0;
  for (const serving::IKvConsumer* consumer : all_) {
    const std::int64_t pinned = consumer->pinned();
    if (pinned <= most) continue;
    most = pinned;
    cause = consumer->cause();
  }
  return cause;
}

void KvConsumers::add_to(ReplicationOverhead& overhead) const {
  for (const std::unique_ptr<Replication>& replication : replications_) overhead.add(replica_, *replication);
}

}  // namespace brink::conditions
