// Isolation by replica: each tenant has replicas of its own, and a router that sees only these.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/policy/i_router.h"

namespace brink::policy {

/// Consecutive replicas, first and how many.
struct ReplicaRange {
  std::size_t first = 0, count = 0;
};

/// Splits `replicas` among tenants in proportion to their shares of the requests, each having at least one
/// (largest remainders; ties go to the first). Shares are > 0. Throws Error when there are fewer replicas than tenants.
[[nodiscard]] std::vector<ReplicaRange> assign_replicas(std::size_t replicas, std::span<const double> shares);

/// Router `name` among each tenant's own replicas. Requests carry their tenant.
[[nodiscard]] std::unique_ptr<IRouter> make_tenant_router(const std::string& name, std::uint64_t seed,
                                                          std::vector<ReplicaRange> ranges);

}  // namespace brink::policy
