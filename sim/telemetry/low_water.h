// The lowest value a level had since any moment in the past, in memory bounded by the number of distinct levels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "models/base/units.h"

namespace brink::telemetry {

/// Moments must not decrease. Only values that no later one undercuts are kept: the suffix minima. A push is O(1)
/// amortised, a question O(log levels).
class LowWater {
 public:
  void push(Seconds at, std::int64_t level) {
    while (!marks_.empty() && marks_.back().level >= level) marks_.pop_back();
    marks_.push_back({at, level});
  }

  /// The lowest level pushed at or after `from`, else `otherwise`.
  [[nodiscard]] std::int64_t since(Seconds from, std::int64_t otherwise) const {
    const auto mark = std::lower_bound(marks_.begin(), marks_.end(), from,
                                       [](const Mark& m, Seconds moment) { return m.at < moment; });
    return mark == marks_.end() ? otherwise : mark->level;
  }

  [[nodiscard]] std::size_t marks() const { return marks_.size(); }

 private:
  struct Mark {
    Seconds at;
    std::int64_t level;
  };
  std::vector<Mark> marks_;  // moments and levels both ascend
};

}  // namespace brink::telemetry
