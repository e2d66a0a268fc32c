// Role: picks the replica of a new request. Sees counts, never a clock and never how long
// the answer will be; returns an index and changes nothing but its own state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/base/ids.h"
#include "models/base/random.h"

namespace brink::policy {

/// What a router may know of a replica.
struct ReplicaView {
  std::int64_t waiting = 0;
  std::int64_t running = 0;
  std::int64_t kv_blocks_used = 0;
  std::int64_t kv_blocks_total = 0;
};

/// What a router may know of a request.
struct RoutedRequest {
  RequestId id;
  std::int64_t input_tokens = 0;
  std::int32_t tenant = 0;
};

class IRouter {
 public:
  virtual ~IRouter() = default;
  /// Index into `replicas` (never empty).
  virtual std::size_t route(const RoutedRequest& request, std::span<const ReplicaView> replicas) = 0;
};

/// Names of the known routers, the default first.
[[nodiscard]] std::vector<std::string> router_names();
/// `name` is one of router_names() (asserted).
[[nodiscard]] std::unique_ptr<IRouter> make_router(const std::string& name, std::uint64_t seed);

// One file a policy; each is a line in the table of router_table.cpp.
[[nodiscard]] std::unique_ptr<IRouter> make_round_robin(std::uint64_t seed);
[[nodiscard]] std::unique_ptr<IRouter> make_vllm_score(std::uint64_t seed);
[[nodiscard]] std::unique_ptr<IRouter> make_power_of_two(std::uint64_t seed);

}  // namespace brink::policy
