// In which regime a replica is: every predicate as a bit, and the first that holds, by priority, as the label.
// The predicates and their order are those of the article (physics reference, section 8); the thresholds are the
// scenario's.
#pragma once

#include <array>
#include <cstdint>

#include "models/base/units.h"

namespace brink::memory {

/// In order of priority.
enum class Regime : std::uint8_t {
  isolation_strict,
  memory_evaporation,
  paging,
  memory_pressured,
  queue_degraded,
  normal,
};
inline constexpr std::size_t regime_count = 6;
[[nodiscard]] const char* name(Regime regime);

struct RegimeThresholds {
  double evaporation_ratio = 0.05;   // effective free KV over the pool, below
  Bytes pressured = mib(1024);       // effective free KV on one rank, below
  Seconds queue_p95{0.05};           // above
  Seconds paging_window{1.0};        // a preemption, eviction-recompute or offload this recently
  Seconds queue_window{5.0};         // queue times of requests scheduled this recently
};

struct RegimeInputs {
  bool isolation_strict = false;
  double effective_free_ratio = 1.0; // (free - pinned by replication and checkpoints) / pool; may be < 0
  Bytes effective_free;
  bool paging = false;
  Seconds queue_p95;
};

struct RegimeState {
  std::uint8_t bits = 0;             // bit i: predicate i (a Regime below normal) holds
  Regime label = Regime::normal;
  [[nodiscard]] bool holds(Regime regime) const { return (bits >> static_cast<unsigned>(regime) & 1U) != 0; }
};

/// The state from this moment on.
struct RegimeChange {
  Seconds at;
  RegimeState state;
};

[[nodiscard]] RegimeState classify(const RegimeInputs& inputs, const RegimeThresholds& thresholds);

}  // namespace brink::memory
