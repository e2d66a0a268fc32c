// x.jsonl: what the model was really asked, one record a request. The field names are those of the article's "x"
// record and of its execution contract. A simulated prompt has no text: its hashes are of its identity.
#pragma once

#include <cstdint>
#include <string>

#include "models/base/random.h"
#include "sim/serving/records.h"
#include "sim/telemetry/run_facts.h"

namespace brink::telemetry {

/// SHA-256 of the identity of a prompt: (seed, text of the pool or id of the request, tokens). Equal prompts, and
/// only these, have equal hashes; a prompt cut to n tokens equals the first n tokens of its text.
[[nodiscard]] std::string prompt_sha256(std::uint64_t seed, const serving::RequestRecord& record, std::int64_t tokens);

class XRecords {
 public:
  XRecords(RecordMode mode, const RecordFacts& facts)
      : mode_(mode), facts_(facts), sampling_(facts.seed, "telemetry/x_records") {}

  /// Whether the request has a record: all, or 1 in 100 by a draw that belongs to the request.
  [[nodiscard]] bool wants(RequestId id) const;
  /// Appends the record of a request that wants() one. `free_blocks`: fewest free KV blocks while it ran; < 0: unknown.
  void add(const serving::RequestRecord& record, std::int64_t free_blocks);

  [[nodiscard]] const std::string& jsonl() const { return lines_; }

 private:
  RecordMode mode_;
  RecordFacts facts_;
  RandomStream sampling_;
  std::string lines_;
};

}  // namespace brink::telemetry
