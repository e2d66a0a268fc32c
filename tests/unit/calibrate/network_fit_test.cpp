#include "calibrate/network_fit.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "calibrate/collective_fit.h"
#include "models/base/error.h"

namespace brink::calibrate {
namespace {

/// 18 us and 36 GB/s between nodes, 6 us and 360 GB/s inside, in whole microseconds as the tool writes them.
std::vector<SendRecvRow> rows() {
  std::vector<SendRecvRow> all;
  for (double bytes = 2048; bytes < 6e7; bytes *= 1.07)
    for (const bool far : {true, false})
      all.push_back({far, Bytes(std::round(bytes)), microseconds(std::round(far ? 18.0 + bytes / 36e3 : 6.0 + bytes / 360e3))});
  return all;
}

TEST(PointToPointFit, FindsBothPaths) {
  const auto fitted = fit_point_to_point(rows());
  for (const double bytes : {5e4, 1e6, 3e7}) {
    EXPECT_NEAR(to_us(fitted.between(Bytes(bytes)).time) / (18.0 + bytes / 36e3), 1.0, 0.04) << bytes;
    EXPECT_NEAR(to_us(fitted.inside(Bytes(bytes)).time) / (6.0 + bytes / 360e3), 1.0, 0.06) << bytes;
  }
  EXPECT_NEAR(to_us(fitted.network_hop()), 12.0, 1.0);
  EXPECT_EQ(fitted.between(Bytes(1e9)).badge, cost::Badge::extrapolated);
}

TEST(PointToPointFit, HoldsOutEverySizeOnce) {
  std::vector<ValidationRow> out;
  validate_point_to_point(rows(), out);
  EXPECT_EQ(out.size(), 2 * rows().size());
  for (const GroupError& error : summarise(out)) EXPECT_LT(error.mape, 0.05) << error.group;
}

TEST(PointToPointFit, RoundTrip) {
  const auto fitted = fit_point_to_point(rows());
  const Json json = fitted.to_json();
  const auto read = cost::PointToPoint::from_json(ObjectReader(json, "/point_to_point"));
  EXPECT_NEAR(read.between(Bytes(1e6)).time / fitted.between(Bytes(1e6)).time, 1.0, 1e-6);
}

TEST(PointToPointFit, OnePathAloneIsRefused) {
  auto some = rows();
  std::erase_if(some, [](const SendRecvRow& row) { return row.between_nodes; });
  EXPECT_THROW((void)fit_point_to_point(some), Error);
}

std::string data() {
  const char* set = std::getenv("BRINK_SHARED_DATA");
  return set != nullptr ? set : std::string(BRINK_SOURCE_DIR) + "/../shared/data";
}

// The bars: fitted on one set of measurements, scored on another machine's; nothing of the second was fitted.
TEST(MeasuredCollectives, AnotherMachineWithinTheBars) {
  if (!std::filesystem::is_directory(data())) GTEST_SKIP() << "no measurements at " << data() << ": set BRINK_SHARED_DATA";
  const TableFiles files = TableFiles::in(data());
  const auto fitted = fit_collectives(read_nccl_rows(files.nccl));
  std::vector<ValidationRow> out;
  validate_other_machine(read_nccl_tests_rows(files.nccl_tests), fitted, out);
  ASSERT_EQ(out.size(), 24u);  // 1 KiB to 8 GiB
  std::vector<double> errors;
  double sum = 0.0;
  for (const ValidationRow& row : out) {
    errors.push_back(std::abs(row.predicted / row.measured - 1.0));
    sum += errors.back();
    EXPECT_TRUE(row.held_out);
  }
  std::sort(errors.begin(), errors.end());
  EXPECT_LE(0.5 * (errors[11] + errors[12]), 0.08);
  EXPECT_LE(sum / 24.0, 0.12);
}

TEST(MeasuredCollectives, BetweenNodesWithinTheBars) {
  if (!std::filesystem::is_directory(data())) GTEST_SKIP() << "no measurements at " << data() << ": set BRINK_SHARED_DATA";
  const TableFiles files = TableFiles::in(data());
  const auto measured = read_send_recv_rows(files.send_recv);
  std::vector<ValidationRow> out;
  validate_point_to_point(measured, out);
  validate_two_nodes(files.hardware_facts, fit_point_to_point(measured), out);
  int compared = 0;
  for (const GroupError& error : summarise(out)) {
    if (!error.held_out) continue;
    ++compared;
    if (error.group == "all_reduce_two_nodes_tcp") continue;  // another network: stated, no bar
    EXPECT_LE(error.mape, error.group == "all_reduce_two_nodes" ? 0.25 : 0.15) << error.group;
  }
  EXPECT_EQ(compared, 4);
}

}  // namespace
}  // namespace brink::calibrate
