#include "models/base/histogram.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>

namespace brink {

namespace {

// Buckets are the doubles that share exponent and the ten top bits of the mantissa: 1024 a
// doubling, so a bucket is at most 2^-10 = 0.098 % wide, and finding it needs no logarithm.
constexpr unsigned dropped_bits = 52 - 10;

std::int32_t bucket_of(double value) {
  return static_cast<std::int32_t>(std::bit_cast<std::uint64_t>(value) >> dropped_bits);
}

double bucket_middle(std::int32_t index) {
  const auto edge = [](std::int32_t i) {
    return std::bit_cast<double>(static_cast<std::uint64_t>(i) << dropped_bits);
  };
  return edge(index) + 0.5 * (edge(index + 1) - edge(index));
}

}  // namespace

void LogHistogram::reserve(std::int32_t index) {
  if (buckets_.empty()) {
    first_ = index;
    buckets_.resize(1);
    return;
  }
  if (index < first_) {
    // Room for a quarter more below, so that falling values do not copy every time.
    const std::int32_t missing = first_ - index;
    const std::int32_t spare = std::min(index, static_cast<std::int32_t>(buckets_.size() / 4));
    buckets_.insert(buckets_.begin(), static_cast<std::size_t>(missing + spare), 0);
    first_ = index - spare;
  } else if (static_cast<std::size_t>(index - first_) >= buckets_.size()) {
    buckets_.resize(static_cast<std::size_t>(index - first_) + 1);
  }
}

void LogHistogram::add(double value, std::uint64_t weight) {
  assert(value >= 0.0 && std::isfinite(value) && weight >= 1);
  if (value == 0.0) {
    zeros_ += weight;
  } else {
    const std::int32_t index = bucket_of(value);
    reserve(index);
    buckets_[static_cast<std::size_t>(index - first_)] += weight;
  }
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = count_ == 0 ? value : std::max(max_, value);
  const auto w = static_cast<double>(weight);
  combine(w, value * w, 0.0);
  count_ += weight;
}

// Chan, Golub & LeVeque 1983: squared deviations of two groups joined. Unlike a sum of
// squares it does not lose the spread of values that lie close together.
void LogHistogram::combine(double weight, double sum, double deviations) {
  const auto own = static_cast<double>(count_);
  if (count_ > 0) {
    const double gap = sum / weight - sum_ / own;
    deviations_ += gap * gap * (own * weight / (own + weight));
  }
  deviations_ += deviations;
  sum_ += sum;
}

void LogHistogram::merge(const LogHistogram& other) {
  if (other.count_ == 0) return;
  if (!other.buckets_.empty()) {
    reserve(other.first_);
    reserve(other.first_ + static_cast<std::int32_t>(other.buckets_.size()) - 1);
    const auto offset = static_cast<std::size_t>(other.first_ - first_);
    for (std::size_t i = 0; i < other.buckets_.size(); ++i) buckets_[offset + i] += other.buckets_[i];
  }
  zeros_ += other.zeros_;
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = count_ == 0 ? other.max_ : std::max(max_, other.max_);
  combine(static_cast<double>(other.count_), other.sum_, other.deviations_);
  count_ += other.count_;
}

double LogHistogram::mean() const {
  return count_ == 0 ? std::numeric_limits<double>::quiet_NaN() : sum_ / static_cast<double>(count_);
}

double LogHistogram::stddev() const {
  return count_ == 0 ? std::numeric_limits<double>::quiet_NaN() : std::sqrt(deviations_ / static_cast<double>(count_));
}

double LogHistogram::quantile(double q) const {
  assert(q >= 0.0 && q <= 1.0);
  if (count_ == 0) return std::numeric_limits<double>::quiet_NaN();
  // Nearest rank: the smallest value with at least q of the weight at or below it.
  // The nudge undoes products like 0.07 * 100 = 7.000000000000001.
  const double wanted = std::ceil(q * static_cast<double>(count_) * (1.0 - 4e-16));
  const std::uint64_t rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
  if (rank == 1) return min_;
  if (rank == count_) return max_;
  std::uint64_t below = zeros_;
  if (rank <= below) return 0.0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    below += buckets_[i];
    if (rank <= below) return std::clamp(bucket_middle(first_ + static_cast<std::int32_t>(i)), min_, max_);
  }
  return max_;
}

}  // namespace brink
