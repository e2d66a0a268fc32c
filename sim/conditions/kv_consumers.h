// All background users of one replica's KV blocks, as one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/conditions/checkpoint.h"
#include "sim/conditions/forced_evaporation.h"
#include "sim/conditions/mid_collective_eviction.h"
#include "sim/conditions/replication.h"
#include "sim/conditions/replication_overhead.h"

namespace brink::conditions {

struct KvConsumerSettings {
  std::vector<ReplicationSettings> replications;
  std::vector<CheckpointSettings> checkpoints;
  // Hypotheses
  std::optional<ForcedEvaporationSettings> forced_evaporation;
  std::optional<MidCollectiveEvictionSettings> mid_collective_eviction;

  [[nodiscard]] bool empty() const {
    return replications.empty() && checkpoints.empty() && !forced_evaporation && !mid_collective_eviction;
  }
};

/// Those of the settings that concern `replica`. Consumers that name one link share it, in the order of their
/// sends. Checkpoints are asked first what they retain: they keep blocks longer than replication does.
class KvConsumers final : public serving::IKvConsumer {
 public:
  /// `component` orders events of the same instant; the replica's own will do.
  struct Parts {
    ReplicaId replica;
    std::uint32_t component = 0;
    world::IClock& clock;
    serving::IKvOwner& owner;
    world::ILedger& ledger;
  };

  /// The parts outlive it. Consumers that share a link agree on its rate (checked where they are read).
  KvConsumers(const KvConsumerSettings& settings, const Parts& parts);
  KvConsumers(const KvConsumers&) = delete;
  KvConsumers& operator=(const KvConsumers&) = delete;

  void on_batch(const serving::KvView& view, std::int64_t tokens) override;
  std::int64_t retain(const serving::KvView& view, const serving::KvDeparture& request, std::int64_t held_already) override;
  [[nodiscard]] std::int64_t pinned() const override;
  /// Of the consumer that pins most.
  [[nodiscard]] world::CauseId cause() const override;

  [[nodiscard]] bool empty() const { return all_.empty(); }
  /// Its replications also make steps longer.
  void add_to(ReplicationOverhead& overhead) const;
  /// Null unless that hypothesis is on: it also delays steps.
  [[nodiscard]] serving::IStepConditions* mid_collective_eviction() const { return eviction_.get(); }

 private:
  ILink& link(const std::string& name, BytesPerSecond rate, Seconds latency, const Parts& parts);

  ReplicaId replica_;
  std::map<std::string, std::unique_ptr<FifoLink>> links_;
  std::vector<std::unique_ptr<Checkpoint>> checkpoints_;
  std::vector<std::unique_ptr<Replication>> replications_;
  std::unique_ptr<ForcedEvaporation> forced_;
  std::unique_ptr<MidCollectiveEviction> eviction_;
  std::vector<serving::IKvConsumer*> all_;            // in the order they are asked
  std::vector<const serving::IKvConsumer*> budgeted_; // the same, for budgets
};

}  // namespace brink::conditions
