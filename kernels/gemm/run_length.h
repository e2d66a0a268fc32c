#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace brink::kernels {

/// A run of equal neighbours in a sequence indexed from `first_index` on.
struct Run {
  std::int64_t first;
  std::int64_t last;
  std::size_t value_at;  ///< position in the sequence of a value that stands for the run
};

/// Runs of equal elements of `values`, whose first element belongs to index `first_index`.
template <typename T>
std::vector<Run> run_lengths(const std::vector<T>& values, std::int64_t first_index) {
  std::vector<Run> runs;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t index = first_index + static_cast<std::int64_t>(i);
    if (i > 0 && values[i] == values[i - 1]) {
      runs.back().last = index;
    } else {
      runs.push_back({index, index, i});
    }
  }
  return runs;
}

}  // namespace brink::kernels
