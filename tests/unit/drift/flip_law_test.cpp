#include "models/drift/flip_law.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "models/base/random.h"
#include "models/drift/divergence.h"

namespace brink::drift {
namespace {

FlipLaw law(double rho, double median, DeltaShape shape = DeltaShape::half_normal) {
  return {PerNat(rho), Nats(median), shape, 1.0};
}

struct Published {
  double rho, half_normal, laplace;
  double div_100, div_100_laplace, div_300, div_300_laplace, div_1000;
};

// reference table flip_law_emax_cudagraph.txt
const Published published[] = {
    {0.06, 0.00224, 0.00273, 0.201, 0.239, 0.489, 0.559, 0.893},
    {0.10, 0.00373, 0.00454, 0.312, 0.366, 0.674, 0.745, 0.976},
    {0.17, 0.00633, 0.00773, 0.470, 0.540, 0.851, 0.902, 0.998},
};

TEST(flip_law, known_answers) {
  for (const Published& row : published) {
    SCOPED_TRACE(row.rho);
    const double p = law(row.rho, 0.063).flip_if_changed();
    const double laplace = law(row.rho, 0.063, DeltaShape::exponential).flip_if_changed();
    EXPECT_NEAR(p, row.half_normal, 6e-6);
    EXPECT_NEAR(laplace, row.laplace, 6e-6);
    EXPECT_NEAR(divergence(p, 100), row.div_100, 1e-3);
    EXPECT_NEAR(divergence(laplace, 100), row.div_100_laplace, 1e-3);
    EXPECT_NEAR(divergence(p, 300), row.div_300, 1e-3);
    EXPECT_NEAR(divergence(laplace, 300), row.div_300_laplace, 1e-3);
    EXPECT_NEAR(divergence(p, 1000), row.div_1000, 1e-3);
    EXPECT_NEAR(divergence(p, 10000), 1.0, 1e-3);
  }
}

TEST(flip_law, fp32_shift) {
  const double p = law(0.10, 1.8e-5).flip_if_changed();
  EXPECT_NEAR(p, 1.06e-6, 5e-9);
  EXPECT_NEAR(divergence(p, 10000), 0.0106, 1e-4);
}

TEST(flip_law, large_shifts_saturate) {
  EXPECT_NEAR(law(0.1, 1e9).flip_if_changed(), 0.5, 1e-6) << "a coin toss";
  EXPECT_NEAR(law(0.1, 1e9, DeltaShape::exponential).flip_if_changed(), 0.5, 1e-6);
  EXPECT_EQ(law(0.1, 0.0).flip_if_changed(), 0.0);
  EXPECT_EQ(law(0.0, 0.1).flip_if_changed(), 0.0);
  double before = 0.0;
  for (double median = 1e-6; median < 1e4; median *= 3.0) {
    const double p = law(0.1, median).flip_if_changed();
    EXPECT_GT(p, before);
    EXPECT_LE(p, 0.5);
    before = p;
  }
}

// E[min(1, rho |Delta|)] / 2 by drawing; 200 000 draws have a standard error below 0.2 %, the bound is ten of them.
TEST(flip_law, closed_form_is_the_mean_over_draws) {
  const RandomStream random(1, "flip");
  for (const double median : {0.063, 5.0, 40.0}) {
    double normal = 0.0, exponential = 0.0;
    constexpr int draws = 200'000;
    for (std::uint64_t i = 0; i < draws; ++i) {
      normal += std::min(1.0, 0.1 * std::abs(random.normal({i})) * median / 0.674489750196);
      exponential += std::min(1.0, 0.1 * random.exponential({i}, 1) * median / std::log(2.0));
    }
    EXPECT_NEAR(law(0.1, median).flip_if_changed() / (0.5 * normal / draws), 1.0, 0.02) << median;
    EXPECT_NEAR(law(0.1, median, DeltaShape::exponential).flip_if_changed() / (0.5 * exponential / draws), 1.0, 0.02) << median;
  }
}

TEST(flip_law, medians_by_arithmetic) {
  EXPECT_EQ(delta_median_of(Arithmetic::bf16), Nats(6.3e-2));
  EXPECT_GE(delta_median_of(Arithmetic::fp32), Nats(1.8e-5));
  EXPECT_LE(delta_median_of(Arithmetic::fp32), Nats(3.6e-5));
  EXPECT_EQ(delta_median_of(Arithmetic::int8), Nats(0.0));
  // FP16 has eight times the resolution of BF16: between a root and a straight line in the roundoff.
  EXPECT_GT(delta_median_of(Arithmetic::fp16), Nats(6.3e-2 / 8.0));
  EXPECT_LT(delta_median_of(Arithmetic::fp16), Nats(6.3e-2 / std::sqrt(8.0)));
  EXPECT_NEAR(delta_median_of(Arithmetic::fp16).value(), 1.45e-2, 5e-4);
  EXPECT_EQ(delta_median_of(Arithmetic::tf32), delta_median_of(Arithmetic::fp16));
  EXPECT_GT(delta_median_of(Arithmetic::fp8_e4m3), delta_median_of(Arithmetic::bf16));
  EXPECT_GT(delta_median_of(Arithmetic::fp8_e5m2), delta_median_of(Arithmetic::fp8_e4m3));
}

TEST(flip_law, fp32_is_a_thousand_times_safer_than_bf16) {
  FlipLaw bf16, fp32;
  fp32.delta_median = delta_median_of(Arithmetic::fp32);
  EXPECT_GE(bf16.hazard(), 1000.0 * fp32.hazard());
  EXPECT_GT(fp32.hazard(), 0.0);
}

// q: same-GPU batch changes leave 95 to 99 % of positions bitwise equal, and 6 to 25 % of streams of 1000 tokens diverge
// whatever the model's margin density within the published range; at the middle density so do 500 to 2000 tokens.
TEST(flip_law, changed_share_meets_both_figures) {
  const FlipLaw fitted;
  EXPECT_GE(1.0 - fitted.changed_share, 0.95);
  EXPECT_LE(1.0 - fitted.changed_share, 0.99);
  for (const double rho : {0.06, 0.10, 0.17}) {
    FlipLaw one = fitted;
    one.margin_density = PerNat(rho);
    EXPECT_GE(divergence(one.hazard(), 1000), 0.06) << rho;
    EXPECT_LE(divergence(one.hazard(), 1000), 0.25) << rho;
  }
  for (const std::int64_t length : {500, 1000, 2000}) {
    EXPECT_GE(divergence(fitted.hazard(), length), 0.06) << length;
    EXPECT_LE(divergence(fitted.hazard(), length), 0.25) << length;
  }
  EXPECT_NEAR(divergence(fitted.hazard(), 1000), std::sqrt(0.06 * 0.25), 1e-3) << "the middle of 6 and 25 %";
}

TEST(divergence, edges) {
  EXPECT_EQ(divergence(0.0, 1000), 0.0);
  EXPECT_EQ(divergence(0.5, 0), 0.0);
  EXPECT_EQ(divergence(1.0, 1), 1.0);
  EXPECT_DOUBLE_EQ(divergence(0.25, 1), 0.25);
  EXPECT_DOUBLE_EQ(divergence(1e-12, 10), 1e-11 * (1.0 - 4.5e-12));
}

double first_flip_by_sum(double h, std::int64_t n) {
  long double mass = 0.0L, mean = 0.0L, kept = 1.0L;
  for (std::int64_t t = 1; t <= n; ++t) {
    mass += kept * h;
    mean += kept * h * static_cast<long double>(t);
    kept *= 1.0L - h;
  }
  return static_cast<double>(mean / mass);
}

TEST(divergence, first_flip_is_the_sum) {
  for (const double h : {1e-12, 3e-8, 1e-5, 1.3e-4, 2.4e-4, 2.6e-4, 4e-3, 0.3, 0.9}) {
    for (const std::int64_t n : {1, 2, 3, 100, 1000, 1001, 5000}) {
      const double sum = first_flip_by_sum(h, n);
      EXPECT_NEAR(first_flip(h, n) / sum, 1.0, 1e-12) << h << " " << n;
    }
  }
  EXPECT_DOUBLE_EQ(first_flip(0.0, 9), 5.0);
  EXPECT_DOUBLE_EQ(first_flip(1.0, 9), 1.0);
}

double pair_by_walk(double h, const PairAgreement& pair) {
  double agreeing = 1.0, differing = 0.0, flipped = 0.0;  // differing: and not flipped
  for (std::int64_t t = 1; t <= pair.tokens; ++t) {
    double keep = t == 1 ? pair.prefill : t == 2 ? pair.decode : pair.step;
    if (pair.broken_from > 0 && t >= pair.broken_from) keep = 0.0;
    differing += agreeing * (1.0 - keep);
    agreeing *= keep;
    flipped += differing * h;
    differing *= 1.0 - h;
  }
  return flipped;
}

TEST(divergence, pair_is_the_walk) {
  for (const double h : {3e-8, 1.3e-4, 0.02, 0.4}) {
    for (const double prefill : {1.0, 0.7, 0.0}) {
      for (const double decode : {1.0, 0.4, 0.0}) {
        for (const double step : {1.0, 1.0 - h, 0.9999, 0.98, 0.3, 1e-12, 0.0}) {
          for (const std::int64_t tokens : {1, 2, 3, 4, 50, 3000}) {
            for (const std::int64_t broken : {0, 1, 2, 3, 4, 40, 3000, 4000}) {
              const PairAgreement pair{prefill, decode, step, tokens, broken};
              EXPECT_NEAR(pair_divergence(h, pair), pair_by_walk(h, pair), 1e-12)
                  << h << " " << prefill << " " << decode << " " << step << " " << tokens << " " << broken;
            }
          }
        }
      }
    }
  }
}

TEST(divergence, pair_that_always_agrees_never_diverges) {
  EXPECT_EQ(pair_divergence(0.01, {1.0, 1.0, 1.0, 100'000, 0}), 0.0);
  EXPECT_EQ(pair_divergence(0.0, {0.0, 0.0, 0.0, 100'000, 1}), 0.0);
  EXPECT_EQ(pair_divergence(0.01, {0.0, 1.0, 1.0, 0, 0}), 0.0);
}

}  // namespace
}  // namespace brink::drift
