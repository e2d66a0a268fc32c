#include "kernels/l2/slices.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace brink::kernels {
namespace {

struct Moments {
  double count = 0;
  double sum = 0;
  double squares = 0;
  void add(double x) {
    ++count;
    sum += x;
    squares += x * x;
  }
  double mean() const { return count > 0 ? sum / count : 0; }
  double scatter() const { return squares - sum * mean(); }  // sum of squared deviations
};

int count_classes(const std::vector<double>& cycles, std::size_t sms, std::size_t lines, double limit) {
  std::vector<std::size_t> representatives;
  for (std::size_t sm = 0; sm < sms; ++sm) {
    const bool known = std::any_of(representatives.begin(), representatives.end(), [&](std::size_t other) {
      std::size_t agreed = 0;
      for (std::size_t line = 0; line < lines; ++line) {
        agreed += (cycles[sm * lines + line] > limit) == (cycles[other * lines + line] > limit) ? 1U : 0U;
      }
      return 10 * agreed >= 9 * lines;
    });
    if (!known) representatives.push_back(sm);
  }
  return static_cast<int>(representatives.size());
}

}  // namespace

SliceSplit split_slices(const std::vector<double>& cycles, int sms, int lines) {
  const auto rows = static_cast<std::size_t>(std::max(sms, 0));
  const auto columns = static_cast<std::size_t>(std::max(lines, 0));
  if (rows * columns == 0 || cycles.size() != rows * columns) throw std::invalid_argument("split_slices: bad shape");
  double low = *std::min_element(cycles.begin(), cycles.end());
  double high = *std::max_element(cycles.begin(), cycles.end());
  Moments near;
  Moments far;
  double limit = 0;
  for (int round = 0; round < 100; ++round) {
    limit = 0.5 * (low + high);
    near = Moments();
    far = Moments();
    for (const double x : cycles) (x > limit ? far : near).add(x);
    if (far.count == 0 || (near.mean() == low && far.mean() == high)) break;
    low = near.mean();
    high = far.mean();
  }
  SliceSplit split;
  split.near_cycles = near.mean();
  split.far_cycles = far.count > 0 ? far.mean() : near.mean();
  split.far_share = far.count / (near.count + far.count);
  const double deviation = std::sqrt(std::max(0.0, near.scatter() + far.scatter()) / (near.count + far.count));
  const double distance = split.far_cycles - split.near_cycles;
  // Exact values, as in a test, have no deviation: a thousandth of the distance stands for it.
  split.separation = distance > 0 ? distance / std::max(deviation, 1e-3 * distance) : 0;
  split.sm_classes = count_classes(cycles, rows, columns, limit);
  for (std::size_t sm = 0; sm < rows; ++sm) {
    Moments of_sm;
    for (std::size_t line = 0; line < columns; ++line) of_sm.add(cycles[sm * columns + line]);
    split.sm_mean_cycles.push_back(of_sm.mean());
  }
  return split;
}

}  // namespace brink::kernels
