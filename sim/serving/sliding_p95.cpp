#include "sim/serving/sliding_p95.h"

#include <cmath>
#include <iterator>

namespace brink::serving {

namespace {

/// Position of the percentile among n sorted values, from 0.
double position(std::size_t n) { return 0.95 * static_cast<double>(n - 1); }

}  // namespace

void SlidingP95::add(Seconds value, Seconds at) {
  const Key key(value.value(), added_++);
  order_.push_back({at, key});
  (!low_.empty() && key < *low_.rbegin() ? low_ : high_).insert(key);
  balance();
}

void SlidingP95::drop(Seconds instant) {
  bool dropped = false;
  while (!order_.empty() && counts_until() <= instant) {
    const Key key = order_.front().key;
    if (low_.erase(key) == 0) high_.erase(key);
    order_.pop_front();
    dropped = true;
  }
  if (dropped) balance();
}

void SlidingP95::balance() {
  const std::size_t wanted = order_.empty() ? 0 : static_cast<std::size_t>(position(order_.size())) + 1;
  while (low_.size() < wanted) low_.insert(high_.extract(high_.begin()));
  while (low_.size() > wanted) high_.insert(low_.extract(std::prev(low_.end())));
}

Seconds SlidingP95::value() const {
  if (low_.empty()) return Seconds(0.0);
  const double below = low_.rbegin()->first;
  if (high_.empty()) return Seconds(below);
  const double at = position(order_.size());
  return Seconds(below + (at - std::floor(at)) * (high_.begin()->first - below));
}

}  // namespace brink::serving
