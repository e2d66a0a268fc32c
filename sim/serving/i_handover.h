// Role: takes prompts over from replicas that only prefill, and brings their KV to replicas that decode.
#pragma once

#include <cstdint>

#include "models/base/ids.h"
#include "models/base/units.h"
#include "sim/serving/slot.h"

namespace brink::serving {

class IHandover {
 public:
  virtual ~IHandover() = default;
  /// `tokens` of a prompt, after the `before` whose KV is there, run on the GPUs of its replica in [begin, end).
  virtual void on_chunk(Slot slot, std::int64_t before, std::int64_t tokens, Seconds begin, Seconds end) = 0;
  /// Its KV is complete and its first token is out. The blocks stay until Replica::release_handed_over().
  virtual void on_prefilled(Slot slot) = 0;
  /// `replica` may have room for KV that it refused before.
  virtual void on_room(ReplicaId replica) = 0;
};

}  // namespace brink::serving
