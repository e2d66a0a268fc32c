#include "models/base/order_statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/base/normal_quantile.h"
#include "models/base/shifted_lognormal.h"

namespace brink {
namespace {

// A uniform on a fine grid in place of a draw: the means below are integrals, not estimates.
template <class F>
double average(F f) {
  constexpr int cells = 200'000;
  double sum = 0.0;
  for (int i = 0; i < cells; ++i) sum += f((i + 0.5) / cells);
  return sum / cells;
}

TEST(max_of_draws, mean_of_the_largest_normal_is_harters) {
  const struct {
    std::int64_t n;
    double mean;
  } known[] = {{1, 0.0}, {2, 0.5641896}, {4, 1.0293754}, {8, 1.4236003}, {16, 1.7659914}, {256, 2.8268633}};
  for (const auto& k : known) {
    EXPECT_NEAR(average([&](double u) { return max_normal(u, k.n); }), k.mean, 2e-4) << k.n;
  }
}

TEST(max_of_draws, one_draw_is_the_draw_itself) {
  for (const double u : {0.001, 0.3, 0.5, 0.9, 0.999}) EXPECT_NEAR(max_normal(u, 1), normal_quantile(u), 1e-12);
}

TEST(max_of_draws, grows_with_the_uniform_and_with_the_number) {
  for (const std::int64_t n : {1, 2, 8, 1000, 1'000'000}) {
    double last = -40.0;
    for (double u = 0.01; u < 1.0; u += 0.01) {
      const double x = max_normal(u, n);
      EXPECT_GT(x, last);
      EXPECT_GT(max_normal(u, n + 1), x);
      last = x;
    }
  }
}

TEST(shifted_lognormal, keeps_three_cumulants) {
  for (const Cumulants& c : {Cumulants{1.0, 4.0, 0.0}, Cumulants{-3.0, 0.25, 0.02}, Cumulants{10.0, 9.0, 27.0}, Cumulants{5.0, 1.0, 4.0}}) {
    const auto at = [&](double u) { return shifted_lognormal(c, normal_quantile(u)); };
    const double mean = average(at);
    const double variance = average([&](double u) { return std::pow(at(u) - mean, 2); });
    const double third = average([&](double u) { return std::pow(at(u) - mean, 3); });
    EXPECT_NEAR(mean, c.mean, 1e-3);
    EXPECT_NEAR(variance, c.variance, 2e-3 * c.variance);
    EXPECT_NEAR(third, c.third, 0.02 * c.third + 1e-3);  // the grid misses the far tail
  }
}

TEST(shifted_lognormal, without_variance_is_its_mean_and_without_skewness_normal) {
  EXPECT_EQ(shifted_lognormal({2.5, 0.0, 0.0}, 3.0), 2.5);
  EXPECT_DOUBLE_EQ(shifted_lognormal({2.0, 9.0, 0.0}, -1.0), -1.0);
  // The lognormal joins the normal as the skewness goes to zero.
  EXPECT_NEAR(shifted_lognormal({2.0, 9.0, 27.0 * 1.01e-4}, 1.5), 6.5, 1e-3);
}

TEST(shifted_lognormal, sums_of_draws_add_cumulants) {
  const Cumulants sum = Cumulants{1.0, 2.0, 3.0}.times(5.0);
  EXPECT_EQ(sum.mean, 5.0);
  EXPECT_EQ(sum.variance, 10.0);
  EXPECT_EQ(sum.third, 15.0);
}

}  // namespace
}  // namespace brink
