// Role: a background user of KV blocks (replication, checkpointing). It may keep blocks of requests that have
// left from being reused until it is done with them.
#pragma once

#include <cstdint>

#include "models/base/ids.h"
#include "models/base/units.h"
#include "sim/serving/slot.h"
#include "sim/world/i_ledger.h"

namespace brink::serving {

/// The KV pool of a replica now.
struct KvView {
  Seconds now;
  std::uint64_t batch = 0;      // number of the last batch begun
  std::int64_t total = 0, free = 0, held = 0;  // blocks; held: of departed requests, still pinned
  std::int64_t block_size = 16; // tokens
  Bytes block;                  // of one block on one rank
  std::int64_t ranks = 1;
  std::int64_t decode_sequences = 0;  // in the last batch begun; each writes into a block of its own
};

/// A request gives its blocks back (finished or preempted).
struct KvDeparture {
  Slot slot = no_slot;
  std::int64_t blocks = 0;      // it held
  std::int64_t tokens = 0;      // in them
  Seconds scheduled;            // when it was first put into a batch
  // When its tokens were written, in numbers of the replica's batches (the first batch is 0). After a preemption
  // only what was written again counts.
  std::int64_t decoded = 0;          // of its tokens, written one a batch; the others by prefill
  std::uint64_t admitted_batch = 0;  // with its first prefill chunk
  std::uint64_t prefilled_batch = 0; // with its last prefill chunk; while its prefill is cut, with the last one so far
  bool preempted = false;            // it comes back and is prefilled again
};

/// What the replica offers its consumers.
class IKvOwner {
 public:
  virtual ~IKvOwner() = default;
  [[nodiscard]] virtual KvView kv_view() const = 0;
  /// `blocks` retained earlier are free again; the replica may start a step with them.
  virtual void return_held(std::int64_t blocks) = 0;
};

class IKvConsumer {
 public:
  virtual ~IKvConsumer() = default;
  /// A batch began and writes KV of `tokens` new tokens. Called for every batch, from the first one on.
  virtual void on_batch(const KvView& view, std::int64_t tokens) = 0;
  /// Of the departing request's blocks, how many stay pinned; they come back through IKvOwner::return_held().
  /// `held_already`: retained by consumers asked before (the same blocks are not held twice).
  virtual std::int64_t retain(const KvView& view, const KvDeparture& departure, std::int64_t held_already) = 0;
  /// Blocks it pins now, of live and of departed requests.
  [[nodiscard]] virtual std::int64_t pinned() const = 0;
  /// Event that made it hold what it holds, for preemptions it causes.
  [[nodiscard]] virtual world::CauseId cause() const = 0;
};

}  // namespace brink::serving
