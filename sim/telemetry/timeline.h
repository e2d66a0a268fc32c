// timeline.json: Chrome trace events, to be opened in Perfetto. One process a replica: thread
// 0 is its scheduler with one slice a step, counters beside it, and one track a request. Ranks that
// others waited for have a thread each, and so has each kind of ledger event.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "sim/serving/records.h"
#include "sim/telemetry/ledger.h"

namespace brink::telemetry {

class Timeline {
 public:
  explicit Timeline(std::int64_t kv_blocks) : kv_blocks_(kv_blocks) {}

  void add(const serving::StepRecord& record);
  /// Spans queued, prefill and decode of a request that reached them.
  void add(const serving::RequestRecord& record);
  void set_waiting(ReplicaId replica, Seconds at, std::int64_t waiting);
  /// Its events with arrows from cause to effect; once, when the run is over.
  void add(const Ledger& ledger);

  /// The whole file.
  [[nodiscard]] std::string json() const;

 private:
  /// Thread numbers: the scheduler, the ranks, the kinds of ledger events.
  static constexpr std::int64_t first_rank_thread = 1, first_ledger_thread = 100'000;

  struct Replica {
    bool named = false;
    std::set<std::int64_t> threads;  // named ones
    memory::RegimeState regime;
    std::int64_t seats = -1, kv_pinned = 0;
  };

  void begin_event();
  Replica& known_replica(std::uint64_t replica);
  void name_thread(std::uint64_t replica, std::int64_t thread, const std::string& name);
  void add_state(const serving::StepRecord& record, Replica& replica);
  void add_wait(const serving::StepRecord& record);
  void add_arrow(world::CauseId id, const Ledger& ledger);
  void counter(std::uint64_t replica, Seconds at, const char* name, double value);
  void span(const serving::RequestRecord& record, const char* name, Seconds from, Seconds to);

  std::int64_t kv_blocks_;
  std::vector<Replica> replicas_;
  std::string events_;
};

}  // namespace brink::telemetry
