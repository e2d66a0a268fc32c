#include "sim/policy/tenant_router.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include <fmt/format.h>

#include "models/base/error.h"

namespace brink::policy {

std::vector<ReplicaRange> assign_replicas(std::size_t replicas, std::span<const double> shares) {
  const std::size_t tenants = shares.size();
  if (replicas < tenants) {
    throw Error(fmt::format("{} replicas cannot be split among {} tenants: each needs one of its own", replicas, tenants));
  }
  std::vector<std::size_t> order(tenants);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto by = [&order](const std::vector<double>& key) {
    std::stable_sort(order.begin(), order.end(), [&key](std::size_t x, std::size_t y) { return key[x] < key[y]; });
  };
  // Whose share comes to less than a replica has one whole; the others split the rest.
  const std::vector<double> given(shares.begin(), shares.end());
  by(given);
  double share_left = std::accumulate(shares.begin(), shares.end(), 0.0);
  std::size_t left = replicas;
  std::vector<ReplicaRange> ranges(tenants);
  std::size_t small = 0;
  for (; small < tenants && static_cast<double>(left) * shares[order[small]] <= share_left; ++small) {
    ranges[order[small]].count = 1;
    share_left -= shares[order[small]];
    --left;
  }
  std::vector<double> missing(tenants, 0.0);  // what rounding down takes away, negated: the largest first
  std::size_t handed = 0;
  for (std::size_t i = small; i < tenants; ++i) {
    const double quota = static_cast<double>(left) * shares[order[i]] / share_left;
    ranges[order[i]].count = static_cast<std::size_t>(quota);
    missing[order[i]] = static_cast<double>(ranges[order[i]].count) - quota;
    handed += ranges[order[i]].count;
  }
  std::iota(order.begin(), order.end(), std::size_t{0});
  by(missing);
  for (std::size_t i = 0; handed < left && small < tenants; i = (i + 1) % tenants, ++handed) ++ranges[order[i]].count;
  std::size_t first = 0;
  for (ReplicaRange& range : ranges) {
    range.first = first;
    first += range.count;
  }
  return ranges;
}

namespace {

class TenantRouter final : public IRouter {
 public:
  TenantRouter(const std::string& name, std::uint64_t seed, std::vector<ReplicaRange> ranges) : ranges_(std::move(ranges)) {
    for (std::size_t t = 0; t < ranges_.size(); ++t) routers_.push_back(make_router(name, seed));
  }

  std::size_t route(const RoutedRequest& request, std::span<const ReplicaView> replicas) override {
    const auto tenant = static_cast<std::size_t>(request.tenant);
    assert(tenant < ranges_.size());
    const ReplicaRange& own = ranges_[tenant];
    return own.first + routers_[tenant]->route(request, replicas.subspan(own.first, own.count));
  }

 private:
  std::vector<ReplicaRange> ranges_;
  std::vector<std::unique_ptr<IRouter>> routers_;  // one each: a turn taken by a tenant is no turn of another's
};

}  // namespace

std::unique_ptr<IRouter> make_tenant_router(const std::string& name, std::uint64_t seed, std::vector<ReplicaRange> ranges) {
  return std::make_unique<TenantRouter>(name, seed, std::move(ranges));
}

}  // namespace brink::policy
