// Against sorting what is in the window, and numpy's own answers.
#include "sim/serving/sliding_p95.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/base/random.h"

namespace brink::serving {
namespace {

// numpy.percentile(x, 95), method "linear".
double percentile95(std::vector<double> x) {
  if (x.empty()) return 0.0;
  std::sort(x.begin(), x.end());
  const double at = 0.95 * static_cast<double>(x.size() - 1);
  const auto i = static_cast<std::size_t>(at);
  return i + 1 < x.size() ? x[i] + (at - std::floor(at)) * (x[i + 1] - x[i]) : x[i];
}

TEST(SlidingP95, NumpysAnswers) {
  SlidingP95 p(Seconds(5.0));
  EXPECT_EQ(p.value().value(), 0.0);
  p.add(Seconds(3.0), Seconds(0.0));
  EXPECT_EQ(p.value().value(), 3.0);
  p.add(Seconds(1.0), Seconds(0.0));
  EXPECT_NEAR(p.value().value(), 2.9, 1e-15);  // numpy.percentile([3, 1], 95)
  for (int i = 4; i <= 21; ++i) p.add(Seconds(i), Seconds(0.0));
  p.add(Seconds(2.0), Seconds(0.0));
  EXPECT_EQ(p.value().value(), 20.0);  // of 1..21
}

TEST(SlidingP95, AgainstSorting) {
  const RandomStream random(3, "p95");
  for (std::uint64_t run = 0; run < 40; ++run) {
    SlidingP95 p(Seconds(5.0));
    std::vector<std::pair<double, double>> all;  // at, value
    double now = 0.0;
    for (std::uint64_t i = 0; i < 600; ++i) {
      // Instants repeat, leap the whole window at times, and values tie.
      const double u = random.uniform({run, i});
      now += u < 0.3 ? 0.0 : u > 0.99 ? 7.0 : 0.2 * u;
      p.drop(Seconds(std::nextafter(now, 0.0)));
      const double value = std::floor(random.exponential({run, i}, 1) * 8.0) / 16.0;
      p.add(Seconds(value), Seconds(now));
      all.emplace_back(now, value);
      std::vector<double> window;
      for (const auto& [at, v] : all) {
        if (at + 5.0 >= now) window.push_back(v);
      }
      ASSERT_EQ(p.size(), window.size());
      ASSERT_EQ(p.value().value(), percentile95(window)) << "run " << run << " step " << i;
    }
  }
}

}  // namespace
}  // namespace brink::serving
