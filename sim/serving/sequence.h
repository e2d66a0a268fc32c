// A request inside the serving mechanism, and the slab that holds the active ones.
#pragma once

#include <cstdint>
#include <vector>

#include "models/memory/block_history.h"
#include "sim/serving/records.h"
#include "sim/serving/slot.h"
#include "sim/workload/request.h"

namespace brink::serving {

enum class Phase : std::uint8_t { waiting, prefilling, decoding, finishing, moving };

/// Where the clocks of its replica stood when a request came.
struct Marks {
  Seconds gpu;                     // when it was first put into a batch
  std::uint64_t step = 0;          // first step it takes part in
  std::int64_t plan_switches = 0;
  std::vector<Seconds> delays;     // by condition; empty: no condition acts
};

struct Sequence {
  RequestRecord record;
  Marks marks;
  std::int64_t output_target = 0;  // the true answer length: mechanism only
  std::int64_t prompt = 0;         // tokens to prefill: the input, after a preemption also what was generated
  std::int64_t prefilled = 0;      // of them, in the KV cache
  std::int64_t prompt_text = -1;   // which text of a pool of re-sent ones it is; -1: unique
  std::int64_t kept_prefix = 0;    // leading prompt tokens that are as they were sent
  std::int64_t generated = 0;
  std::int64_t remaining = 0;      // decode steps it was to take when its prefill ended
  // Numbers of the replica's batches: with its first chunk since it was admitted, and with the last one so far.
  std::uint64_t admitted_batch = 0, last_chunk_batch = 0;
  std::uint64_t prefill_batch = 0; // number in its lane of the batch that ended its prefill
  Seconds last_token;              // kept over a preemption, for the interval across it
  memory::BlockTable blocks;       // what its prompt got
  memory::BlockTable reserved;     // on the replica its KV is on the way to
  bool shares = false;             // reads its cached prefix from blocks others read too
  std::uint32_t epoch = 0;         // raised at a preemption: stale finish entries are recognised
  Phase phase = Phase::waiting;
  std::int32_t lane = 0;           // index into its replica's lanes
  // Its replica failed: since when it waits to run elsewhere, and the event.
  bool lost = false;
  Seconds lost_at;
  world::CauseId lost_by = 0;
  Slot previous = no_slot, next = no_slot;  // running list, in order of admission
};

/// Active requests in reused slots: memory is O(active requests).
class SequencePool {
 public:
  Slot take(const workload::Request& request);
  void release(Slot slot) { free_.push_back(slot); }
  [[nodiscard]] Sequence& operator[](Slot slot) { return slots_[slot]; }
  [[nodiscard]] const Sequence& operator[](Slot slot) const { return slots_[slot]; }
  [[nodiscard]] std::size_t active() const { return slots_.size() - free_.size(); }

 private:
  std::vector<Sequence> slots_;
  std::vector<Slot> free_;
};

}  // namespace brink::serving
