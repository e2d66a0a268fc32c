#include "sim/workload/tenants.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace brink::workload {

namespace {

constexpr double tenants_max = 1e5;

std::vector<double> read_shares(ObjectReader& in) {
  const bool count = in.has("count"), weights = in.has("weights");
  if (count == weights) {
    throw in.error(count ? "weights" : "count", count ? "both count and weights" : "neither count nor weights",
                   "exactly one of the two");
  }
  std::vector<double> shares;
  if (count) {
    shares.assign(static_cast<std::size_t>(in.integer("count", Range{1.0, tenants_max, false, "tenants"})), 1.0);
  } else {
    shares = in.numbers("weights", Range{0.0, 1e9, true, {}});
    if (shares.empty() || static_cast<double>(shares.size()) > tenants_max) {
      throw in.error("weights", std::to_string(shares.size()) + " weights", "allowed: 1 to 100000 weights");
    }
  }
  in.finish();
  const double total = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= total;
  return shares;
}

class TenantSource final : public IRequestSource {
 public:
  TenantSource(std::unique_ptr<IRequestSource> source, Tenants tenants)
      : source_(std::move(source)), tenants_(std::move(tenants)) {}

  std::optional<Request> next() override {
    std::optional<Request> request = source_->next();
    if (request) request->tenant = tenants_.of(request->id.value);
    return request;
  }
  [[nodiscard]] std::optional<std::int64_t> size_hint() const override { return source_->size_hint(); }

 private:
  std::unique_ptr<IRequestSource> source_;
  Tenants tenants_;
};

}  // namespace

Tenants::Tenants(ObjectReader in, std::uint64_t seed) : shares_(read_shares(in)), stream_(seed, "workload/tenant") {
  upto_.resize(shares_.size());
  std::partial_sum(shares_.begin(), shares_.end(), upto_.begin());
}

std::int32_t Tenants::of(std::uint64_t request) const {
  const auto at = std::upper_bound(upto_.begin(), upto_.end(), stream_.uniform(StreamKey{request}));
  // Rounding may leave the last sum a little below 1.
  const auto index = std::min(at - upto_.begin(), static_cast<std::ptrdiff_t>(upto_.size()) - 1);
  return static_cast<std::int32_t>(index);
}

std::unique_ptr<IRequestSource> with_tenants(std::unique_ptr<IRequestSource> source, Tenants tenants) {
  return std::make_unique<TenantSource>(std::move(source), std::move(tenants));
}

}  // namespace brink::workload
