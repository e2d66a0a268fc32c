#include "sim/workload/arrivals.h"

#include <cmath>

namespace brink::workload {

Arrivals::Arrivals(ArrivalKind kind, double burstiness, RateProfile profile, std::uint64_t seed)
    : kind_(kind),
      burstiness_(burstiness),
      // The mean of a Weibull law is scale * Gamma(1 + 1/shape).
      weibull_scale_(1.0 / std::tgamma(1.0 + 1.0 / burstiness)),
      profile_(std::move(profile)),
      stream_(seed, "workload/arrivals") {}

double Arrivals::gap(std::uint64_t index) const {
  switch (kind_) {
    case ArrivalKind::constant:
      return index == 0 ? 0.0 : 1.0;
    case ArrivalKind::poisson:
      return stream_.exponential({index});
    case ArrivalKind::gamma:
      return stream_.gamma_mean_one(burstiness_, {index});
    case ArrivalKind::weibull:
      return weibull_scale_ * std::pow(stream_.exponential({index}), 1.0 / burstiness_);
  }
  return 1.0;
}

std::optional<Seconds> Arrivals::next() {
  requests_ += gap(index_++);
  return profile_.at(requests_);
}

}  // namespace brink::workload
