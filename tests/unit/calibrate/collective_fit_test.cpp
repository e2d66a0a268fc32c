#include "calibrate/collective_fit.h"

#include <cmath>

#include <gtest/gtest.h>

#include "models/base/error.h"

namespace brink::calibrate {
namespace {

/// A synthetic alpha-beta curve: 5 us and 100 GB/s.
std::vector<CollectiveRow> curve(double spike_at) {
  std::vector<CollectiveRow> rows;
  for (double bytes = 512; bytes < 1e8; bytes *= 2) {
    const double us = 5.0 + bytes / 1e5;
    rows.push_back({cost::CollectiveBackend::nccl, cost::CollectiveOp::all_reduce, 4, Bytes(bytes), microseconds(bytes == spike_at ? 3.0 * us : us)});
  }
  return rows;
}

TEST(CollectiveFit, RecoversAlphaAndBeta) {
  const auto costs = fit_collectives(curve(0.0));
  ASSERT_EQ(costs.size(), 1u);
  for (double bytes : {700.0, 40000.0, 1.3e6, 5e7}) EXPECT_NEAR(to_us(costs[0].estimate(4, Bytes(bytes)).time) / (5.0 + bytes / 1e5), 1.0, 0.02);
}

TEST(CollectiveFit, AStallInOneRowMovesNoNeighbour) {
  const auto clean = fit_collectives(curve(0.0)), spiked = fit_collectives(curve(4096.0));
  EXPECT_NEAR(spiked[0].estimate(4, Bytes(4096)).time / clean[0].estimate(4, Bytes(4096)).time, 1.0, 0.02);
}

TEST(CollectiveFit, HeldOutSizesAreAllReported) {
  const auto rows = curve(0.0);
  std::vector<ValidationRow> out;
  validate_collectives(rows, fit_collectives(rows), out);
  EXPECT_EQ(out.size(), 2 * rows.size());
  for (const GroupError& error : summarise(out)) EXPECT_LT(error.mape, 0.03) << error.held_out;
}

TEST(CollectiveFit, TooFewSizesAreRefused) {
  auto rows = curve(0.0);
  rows.resize(2);
  EXPECT_THROW((void)fit_collectives(rows), Error);
}

}  // namespace
}  // namespace brink::calibrate
