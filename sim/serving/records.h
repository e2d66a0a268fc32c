// What the serving mechanism tells telemetry: plain values, one struct an event.
#pragma once

#include <cstdint>

#include "models/base/ids.h"
#include "models/base/units.h"
#include "models/cost/badge.h"

namespace brink::serving {

enum class Outcome : std::uint8_t {
  completed,  // all output tokens delivered
  rejected,   // longer than the engine accepts, or refused by admission
  cancelled,  // still unfinished when the run was stopped
};

[[nodiscard]] constexpr const char* name(Outcome o) {
  return o == Outcome::completed ? "completed" : o == Outcome::rejected ? "rejected" : "cancelled";
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
};

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
};

/// `count` output tokens reached clients together, each `interval` after the one before it
/// of the same request (vLLM's inter-token latency).
struct TokenIntervals {
  Seconds at;
  Seconds interval;
  std::int64_t count = 0;
};

}  // namespace brink::serving
