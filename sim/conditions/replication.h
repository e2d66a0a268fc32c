// Incremental replication of KV to a standby: what every batch writes is sent, and stays pinned until it is.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <string>

#include "sim/conditions/kv_budget.h"
#include "sim/conditions/link.h"
#include "sim/conditions/pin_events.h"
#include "sim/conditions/target.h"
#include "sim/serving/i_kv_consumer.h"

namespace brink::conditions {

struct ReplicationSettings {
  std::string name = "replication";
  Target target;                        // replicas; all ranks of one send alike
  Seconds from{0.0}, until{std::numeric_limits<double>::infinity()};
  std::string link = "nic";             // consumers of a replica that name the same link share it
  /// 87 GB/s over four 200 Gb/s NICs (Mooncake's transfer engine), one NIC a rank.
  BytesPerSecond rate{21.75e9};
  Seconds latency{10e-6};
  bool coordinated = false;
  double budget_ratio = 0.1;            // of the pool, left to decoding when coordinated
  Bytes chunk = mib(64);                // sent at a time when coordinated
  /// Share by which steps get longer while it runs: what streaming costs (DejaVu, 2403.01876: about 2 %).
  double step_overhead = 0.02;
  std::int32_t condition = -1;          // index in /conditions
};

/// On one replica. Without coordination every batch's delta goes into the link's line at once and pins what it
/// covers; what of it belongs to requests that leave is withheld until it is sent. With coordination one chunk is
/// under way at a time, as large as the budget lets it, and what waits pins nothing: it is skipped when its
/// request leaves.
class Replication final : public serving::IKvConsumer, public world::EventHandler {
 public:
  struct Parts {
    serving::IKvOwner& owner;
    ILink& link;
    KvBudget budget;
    PinEvents events;
  };
  /// What became of the tokens it was to replicate.
  struct Counts {
    std::int64_t written = 0, sent = 0, skipped = 0;
    std::int64_t waits = 0;  // batches at which the budget let nothing go
  };

  /// Owner and link outlive it.
  Replication(const ReplicationSettings& settings, Parts parts) : settings_(settings), parts_(std::move(parts)) {}

  void on_batch(const serving::KvView& view, std::int64_t tokens) override;
  std::int64_t retain(const serving::KvView& view, const serving::KvDeparture& request, std::int64_t held_already) override;
  [[nodiscard]] std::int64_t pinned() const override;
  [[nodiscard]] world::CauseId cause() const override { return pinned() > 0 ? parts_.events.cause() : 0; }

  void on_event(std::uint32_t kind, std::uint64_t data) override;

  [[nodiscard]] bool active(Seconds now) const { return now >= settings_.from && now < settings_.until; }
  /// The root event of what it does now.
  world::CauseId act(Seconds now) { return parts_.events.act(now); }
  [[nodiscard]] const ReplicationSettings& settings() const { return settings_; }
  [[nodiscard]] std::int64_t held() const { return held_; }
  /// Tokens the standby lacks.
  [[nodiscard]] std::int64_t lag() const { return under_way_ + waiting_; }
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  struct Delta {
    std::uint64_t number = 0;       // of the transfer
    std::uint64_t first_batch = 0;  // oldest one it covers
    std::int64_t tokens = 0;
    std::int64_t held = 0;          // blocks that come back with it
    bool sent = false;
  };

  void send(const serving::KvView& view, std::uint64_t first_batch, std::int64_t tokens);
  void send_waiting(const serving::KvView& view);
  [[nodiscard]] std::uint64_t last_batch() const { return batches_ - 1; }

  ReplicationSettings settings_;
  Parts parts_;
  std::deque<Delta> deltas_;         // handed to the link, oldest first
  std::int64_t under_way_ = 0;       // tokens in deltas_
  std::int64_t held_ = 0;            // blocks of departed requests
  std::int64_t waiting_ = 0;         // tokens not handed to the link yet
  std::uint64_t waiting_since_ = 0;  // oldest batch of them
  std::uint64_t batches_ = 0, transfers_ = 0;
  std::int64_t decode_sequences_ = 0, block_size_ = 1;
  Counts counts_;
};

}  // namespace brink::conditions
