// Role: shapes a request at the door. Sees the raw request and how loaded the cluster is, and returns
// the request that runs instead (the effective request). Never the true length of the answer:
// a cap on it is a cap.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/base/ids.h"
#include "models/base/json.h"
#include "models/base/object_reader.h"
#include "models/base/units.h"

namespace brink::policy {

/// The cluster as the gateway sees it when a request arrives.
struct ShapingLoad {
  std::int64_t replicas = 1;
  std::int64_t waiting = 0, running = 0;  // over all replicas
  Seconds queue_p95;                      // of the requests scheduled in the last seconds
  Seconds step_time;                      // of the latest step, the slowest replica's
};

struct RawRequest {
  RequestId id;
  std::int64_t input_tokens = 0;  // >= 1
  std::int32_t tenant = 0;
};

struct ShapedRequest {
  std::int64_t input_tokens = 0;               // >= 1, at most the raw one's
  std::int64_t kept_prefix = 0;                // leading tokens as they were sent: only these can be found in a KV cache
  std::optional<std::int64_t> output_tokens_max;  // a cap asked of the engine, >= 1
  bool truncated = false;                      // the input is another one than was sent
  const char* reason = nullptr;                // of what was changed; null: nothing was
};

/// The request as it was sent.
[[nodiscard]] inline ShapedRequest unshaped(const RawRequest& request) {
  ShapedRequest out;
  out.input_tokens = out.kept_prefix = request.input_tokens;
  return out;
}

class IShaper {
 public:
  virtual ~IShaper() = default;
  /// Called once for each request, in order of arrival.
  virtual ShapedRequest shape(const RawRequest& request, const ShapingLoad& load) = 0;
};

using ShaperMaker = std::function<std::unique_ptr<IShaper>()>;

/// Names of the known shapers, the default ("none") first.
[[nodiscard]] std::vector<std::string> shaper_names();
/// Reads the parameters of shaper `name` (one of shaper_names(), asserted), writing each with its value to
/// `resolved`. The caller calls in.finish(). Throws ConfigError.
[[nodiscard]] ShaperMaker read_shaper(const std::string& name, ObjectReader& in, Json& resolved);

// One file a policy; each is a line in the table of shaper_table.cpp.
[[nodiscard]] ShaperMaker read_no_shaping(ObjectReader& in, Json& resolved);
[[nodiscard]] ShaperMaker read_latency_guard(ObjectReader& in, Json& resolved);

}  // namespace brink::policy
