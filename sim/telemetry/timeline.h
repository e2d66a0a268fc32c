// timeline.json: Chrome trace events, to be opened in Perfetto. One process a replica: thread
// 0 is its scheduler with one slice a step, counters beside it, and one track a request.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/serving/records.h"

namespace brink::telemetry {

class Timeline {
 public:
  explicit Timeline(std::int64_t kv_blocks) : kv_blocks_(kv_blocks) {}

  void add(const serving::StepRecord& record);
  /// Spans queued, prefill and decode of a request that reached them.
  void add(const serving::RequestRecord& record);
  void set_waiting(ReplicaId replica, Seconds at, std::int64_t waiting);

  /// The whole file.
  [[nodiscard]] std::string json() const;

 private:
  void begin_event();
  void name_replica(std::uint64_t replica);
  void counter(std::uint64_t replica, Seconds at, const char* name, double value);
  void span(const serving::RequestRecord& record, const char* name, Seconds from, Seconds to);

  std::int64_t kv_blocks_;
  std::vector<bool> named_;
  std::string events_;
};

}  // namespace brink::telemetry
