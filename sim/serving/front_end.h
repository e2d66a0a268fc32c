// The API server in front of the engine: HTTP, tokenising and hand-over on the way in,
// detokenising and streaming on the way out.
#pragma once

#include <algorithm>
#include <cstdint>

#include "models/base/units.h"

namespace brink::serving {

struct FrontEnd {
  Seconds request_latency;        // client to queue, whatever the load
  Seconds request_service;        // time the single-threaded server is busy with one request
  Seconds response_latency;       // engine to client, every token
  Seconds busy_until;             // of the server

  /// When a request sent at `now` reaches its replica's queue.
  Seconds accept(Seconds now, std::int64_t /*input_tokens*/) {
    busy_until = std::max(busy_until, now) + request_service;
    return busy_until + request_latency;
  }
  /// When tokens that left the engine at `at` reach the client.
  [[nodiscard]] Seconds respond(Seconds at) const { return at + response_latency; }
};

}  // namespace brink::serving
