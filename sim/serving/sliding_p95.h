// The 95th percentile of what was added in the last seconds, exactly, at O(log n) for each value.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <utility>

#include "models/base/units.h"

namespace brink::serving {

/// Of durations, by numpy's "linear" method. A value counts until it is older than the window.
class SlidingP95 {
 public:
  explicit SlidingP95(Seconds window) : window_(window) {}

  /// `at` never falls.
  void add(Seconds value, Seconds at);
  /// Drops what counts until `instant` or less.
  void drop(Seconds instant);
  [[nodiscard]] bool empty() const { return order_.empty(); }
  [[nodiscard]] std::size_t size() const { return order_.size(); }
  /// Until when the oldest value counts. Not empty.
  [[nodiscard]] Seconds counts_until() const { return order_.front().at + window_; }
  /// 0 when empty.
  [[nodiscard]] Seconds value() const;

 private:
  using Key = std::pair<double, std::uint64_t>;  // value and number: equal values stay apart
  struct Entry {
    Seconds at;
    Key key;
  };

  void balance();

  Seconds window_;
  std::deque<Entry> order_;
  std::set<Key> low_, high_;  // low_ ends with the order statistic just below the percentile
  std::uint64_t added_ = 0;
};

}  // namespace brink::serving
