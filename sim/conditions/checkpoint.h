// Periodic asynchronous checkpoint of KV: a snapshot of what is in use, pinned while it is written out.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "sim/conditions/kv_budget.h"
#include "sim/conditions/link.h"
#include "sim/conditions/pin_events.h"
#include "sim/conditions/target.h"
#include "sim/serving/i_kv_consumer.h"

namespace brink::conditions {

struct CheckpointSettings {
  std::string name = "checkpoint";
  Target target;                        // replicas; all ranks of one send alike
  Seconds from{0.0}, until{std::numeric_limits<double>::infinity()};
  Seconds period{60.0};                 // snapshots are due at from, from + period ...
  std::string link = "storage";         // consumers of a replica that name the same link share it
  /// One way over PCIe into host memory, 2 MB at a time (KV offload measurements).
  BytesPerSecond rate{50e9};
  Seconds latency{10e-6};
  Bytes chunk = mib(256);               // written at a time
  bool coordinated = false;
  double budget_ratio = 0.1;            // of the pool, left to decoding when coordinated
  std::int32_t condition = -1;          // index in /conditions
};

/// On one replica. A snapshot starts with the first batch after it is due and covers every block in use then.
/// Without coordination all of them are pinned until the last one is written; those of requests that leave
/// meanwhile are withheld. With coordination (KV blocks are written once, so a snapshot may take them one by one)
/// only the chunk being written is pinned, as large as the budget lets it; what leaves before its turn is skipped.
class Checkpoint final : public serving::IKvConsumer, public world::EventHandler {
 public:
  struct Parts {
    serving::IKvOwner& owner;
    ILink& link;
    KvBudget budget;
    PinEvents events;
  };
  struct Counts {
    std::int64_t snapshots = 0;  // finished
    std::int64_t missed = 0;     // due while another was under way
    std::int64_t covered = 0, written = 0, skipped = 0;  // blocks
    std::int64_t waits = 0;      // batches at which the budget let nothing go
  };

  /// Owner and link outlive it.
  Checkpoint(const CheckpointSettings& settings, Parts parts)
      : settings_(settings), parts_(std::move(parts)), due_(settings.from) {}

  void on_batch(const serving::KvView& view, std::int64_t tokens) override;
  std::int64_t retain(const serving::KvView& view, const serving::KvDeparture& request, std::int64_t held_already) override;
  [[nodiscard]] std::int64_t pinned() const override { return pinned_; }
  [[nodiscard]] world::CauseId cause() const override { return pinned_ > 0 ? parts_.events.cause() : 0; }

  void on_event(std::uint32_t kind, std::uint64_t data) override;

  [[nodiscard]] bool running() const { return running_; }
  [[nodiscard]] std::int64_t held() const { return held_; }
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  void start_if_due(const serving::KvView& view);
  void write(const serving::KvView& view);
  void finish(const serving::KvView& view);
  void give_back(const serving::KvView& view);
  std::int64_t take_part(const serving::KvDeparture& request, std::int64_t covered, std::int64_t held_already);

  CheckpointSettings settings_;
  Parts parts_;
  Seconds due_;
  std::uint64_t batches_ = 0;
  bool running_ = false;
  std::uint64_t first_after_ = 0;  // first batch whose KV is not in the snapshot
  std::int64_t unwritten_ = 0;     // blocks of the snapshot not handed to the link yet
  std::int64_t chunk_ = 0;         // being written; 0: the link has nothing of it
  std::int64_t pinned_ = 0;
  std::int64_t held_ = 0;          // of pinned_, of departed requests
  std::int64_t live_ = 0;          // blocks of the snapshot whose requests are still there
  Counts counts_;
};

}  // namespace brink::conditions
