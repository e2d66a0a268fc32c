// The requests that may share a batch: all of a replica's, or those of one tenant where tenants are isolated.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "models/base/units.h"
#include "sim/serving/decode_set.h"
#include "sim/serving/i_drift_tracker.h"
#include "sim/serving/shared_prefixes.h"

namespace brink::serving {

struct Lane {
  explicit Lane(std::int64_t block_size) : decoding(block_size) {}

  std::deque<Slot> waiting;
  std::deque<Slot> imported;      // their KV came from another replica; they wait for a seat
  Slot partial = no_slot;         // the running sequence whose prefill is cut
  DecodeSet decoding;
  std::uint64_t next_number = 0;  // of its next batch; without isolation that of the replica's
  Seconds last_output;
  std::vector<bool> seen_texts;   // prompts of a pool whose KV is cached
  SharedPrefixes shared;          // of the decoding sequences
  std::uint64_t members = 0;      // sum of member_hash() over them
  std::unique_ptr<IDriftTracker> drift;  // null: drift is not followed

  [[nodiscard]] bool has_work() const { return decoding.size() > 0 || partial != no_slot || !waiting.empty() || !imported.empty(); }
};

}  // namespace brink::serving
