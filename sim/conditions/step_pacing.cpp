#include "sim/conditions/step_pacing.h"

#include <algorithm>
#include <limits>

#include "models/base/order_statistics.h"

namespace brink::conditions {

namespace {

// Draws of the whole step are numbered from the top, those of single collectives from zero: they cannot meet.
constexpr std::uint32_t sum_draw = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t name_draw = sum_draw - 1;

}  // namespace

double StepPacing::own(std::int64_t rank, std::int64_t collective) const {
  const StreamKey key{replica_, step_, static_cast<std::uint64_t>(rank) + 1};
  return lateness_.quantile(1.0 - stream_.uniform(key, static_cast<std::uint32_t>(collective))).value();
}

double StepPacing::sum_of_latest(PacedRanks& ranks, Seconds between, std::int64_t first, std::int64_t count) const {
  const StreamKey key{replica_, step_, 0};
  const auto& lead = ranks.lead();
  if (count > exact_collectives) {
    const Cumulants sum = ranks.one(between).times(static_cast<double>(count - first));
    return std::max(shifted_lognormal(sum, stream_.normal(key, sum_draw)), 0.0);
  }
  double sum = 0.0;
  for (std::int64_t k = first; k < count; ++k) {
    if (ranks.equal()) {
      const double tail = max_upper_tail(stream_.uniform(key, static_cast<std::uint32_t>(k)), static_cast<std::int64_t>(lead.size()));
      sum += lateness_.quantile(tail).value();
      continue;
    }
    double latest = 0.0;
    for (std::size_t r = 0; r < lead.size(); ++r) {
      latest = std::max(latest, own(static_cast<std::int64_t>(r), k) - lead[r] * between.value());
    }
    sum += latest;
  }
  return sum;
}

double StepPacing::first_latest(std::span<const double> late) const {
  const double least = *std::min_element(late.begin(), late.end());
  const auto alike = std::count(late.begin(), late.end(), least);
  const double tail = max_upper_tail(stream_.uniform({replica_, step_, 0}, 0), alike);
  double latest = least + lateness_.quantile(tail).value();
  for (std::size_t r = 0; r < late.size(); ++r) {
    if (late[r] > least) latest = std::max(latest, late[r] + own(static_cast<std::int64_t>(r), 0));
  }
  return latest;
}

std::int64_t StepPacing::somebody(std::int64_t ranks) const {
  return static_cast<std::int64_t>(stream_.below(static_cast<std::uint64_t>(ranks), {replica_, step_, 0}, name_draw));
}

}  // namespace brink::conditions
