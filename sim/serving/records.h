// What the serving mechanism tells telemetry: plain values, one struct an event.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "models/base/ids.h"
#include "models/base/units.h"
#include "models/cost/badge.h"
#include "models/memory/regime.h"
#include "models/plan/execution_plan.h"
#include "sim/serving/i_drift_tracker.h"
#include "sim/world/i_ledger.h"

namespace brink::serving {

enum class Outcome : std::uint8_t {
  completed,  // all output tokens delivered
  rejected,   // longer than the engine accepts, or refused by admission
  cancelled,  // still unfinished when the run was stopped
  failed,     // its replica failed, and it was not sent again
};

[[nodiscard]] constexpr const char* name(Outcome o) {
  switch (o) {
    case Outcome::completed: return "completed";
    case Outcome::rejected: return "rejected";
    case Outcome::cancelled: return "cancelled";
    case Outcome::failed: return "failed";
  }
  return "";
}

/// Life of one request. Instants are simulated time; NaN where it was never reached.
/// arrival <= sent <= queued <= scheduled <= first_token <= finish.
struct RequestRecord {
  RequestId id;
  Seconds arrival;       // when the client wanted to send it
  Seconds sent;          // when it did (a client cap may hold it back): latencies count from here
  Seconds queued;        // entered a replica's waiting queue
  Seconds scheduled;     // first put into a batch
  Seconds first_token;   // first token at the client
  Seconds finish;        // last token at the client
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;  // delivered
  ReplicaId replica;
  std::int32_t preemptions = 0;
  Outcome outcome = Outcome::completed;
  std::int64_t raw_input_tokens = 0;   // before shaping
  std::int64_t cached_tokens = 0;      // of the prompt, found in the KV cache
  std::int64_t prompt_text = -1;       // text of a pool; -1: its own
  std::int32_t tenant = 0;
  bool truncated = false;              // its input was cut: another one than was sent
  const char* truncation = nullptr;    // why it was shaped; null: it was not
  Seconds gpu;                         // GPU time of the steps it took part in
  memory::Regime regime = memory::Regime::normal;  // of the replica when it finished
  std::uint8_t regime_bits = 0;        // every predicate that held while it ran
  std::int64_t plan_switches = 0;      // of its replica while it ran
  DriftOutcome drift;
  /// Delay its replica's steps suffered while it was queued or ran, by root condition: the largest one.
  Seconds caused_delay;
  world::CauseId cause = 0;            // of the largest part; 0: none
  /// Latencies the same request has alone on an idle system; NaN: not followed.
  Seconds idle_ttft{std::numeric_limits<double>::quiet_NaN()};
  Seconds idle_e2e{std::numeric_limits<double>::quiet_NaN()};
};

/// What a request adds to the fingerprint of the batches it takes part in (splitmix64's finaliser, Steele, Lea and
/// Flood, OOPSLA 2014): sums of these are equal for equal sets, whatever the order of joining.
[[nodiscard]] constexpr std::uint64_t member_hash(RequestId id) {
  std::uint64_t z = (id.value + 1) * 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

/// One engine step of one replica.
struct StepRecord {
  ReplicaId replica;
  std::uint64_t step = 0;         // number of the step on its replica, from 0
  Seconds start, end;             // from the scheduling decision to the tokens being out of the engine
  Seconds compute, comm, sync, host;  // parts; overlapped parts may sum to more than end - start
  std::int64_t decode_sequences = 0;
  std::int64_t prefill_tokens = 0;
  std::int64_t prefill_chunks = 0;
  std::int64_t padded_tokens = 0;  // M after CUDA-graph padding
  std::int64_t context_tokens = 0; // KV tokens read by decode attention
  std::int64_t running = 0, waiting = 0;  // after the step
  std::int64_t kv_blocks_used = 0;        // after the step
  std::int64_t preemptions = 0;           // in this step
  std::int64_t tokens_out = 0;            // output tokens this step produced
  std::int64_t finished = 0;              // requests this step finished
  cost::Badge badge = cost::Badge::measured;  // worst of the step's cost answers
  // What ran, and under which pressure. Pointers are valid during the call.
  const plan::ExecutionPlan* plan = nullptr;  // null when plans are not followed
  bool plan_switch = false;                   // another tactic than the step before for some operator
  memory::RegimeState regime;                 // when it ended
  std::span<const memory::RegimeChange> regime_changes;  // since the step before ended, oldest first
  Seconds queue_p95;                          // of requests scheduled in the last seconds
  std::int64_t kv_free = 0, kv_pinned = 0;    // blocks, after the step
  double scatter = 1.0;                       // share of neighbouring KV blocks apart in memory
  Bytes workspace;                            // scratch memory that kernels had
  std::int64_t seats = 0;                     // batch limit in force (a controller may lower it)
  std::int64_t slowest_rank = -1;
  std::span<const Seconds> wait;              // by rank, in collectives; empty: nobody waited
  world::CauseId cause = 0;                   // of the delay `sync`
  std::int32_t tenant = -1;                   // whose batch it was; -1: shared
  std::uint64_t members = 0;                  // sum of member_hash() over its requests; 0: not followed
  std::int64_t request = -1;                  // id of one of its requests; -1: not followed
};

/// `count` output tokens reached clients together, each `interval` after the one before it
/// of the same request (vLLM's inter-token latency).
struct TokenIntervals {
  Seconds at;
  Seconds interval;
  std::int64_t count = 0;
};

}  // namespace brink::serving
