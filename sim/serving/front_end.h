// The API server in front of the engine: HTTP, tokenising and hand-over on the way in,
// detokenising on the way out. Streaming takes turns and is the replica's (engine_config.h).
#pragma once

#include "models/base/units.h"

namespace brink::serving {

struct FrontEnd {
  Seconds request_latency;   // client to queue, whatever the load
  Seconds response_latency;  // engine to client, every token
};

}  // namespace brink::serving
