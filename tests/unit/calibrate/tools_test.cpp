#include <cmath>
#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include "calibrate/csv.h"
#include "calibrate/nelder_mead.h"
#include "calibrate/validation.h"
#include "models/base/error.h"
#include "tests/support/temp_path.h"

namespace brink::calibrate {
namespace {

TEST(Csv, ReadsColumnsByName) {
  const CsvTable table = CsvTable::read(test::TempPath("good.csv", "a,b\r\n1,2.5\r\n3,4\r\n").str());
  ASSERT_EQ(table.rows(), 2u);
  EXPECT_EQ(table.integer(1, table.column("a")), 3);
  EXPECT_DOUBLE_EQ(table.number(0, table.column("b")), 2.5);
}

TEST(Csv, SaysWhatIsWrongAndWhere) {
  EXPECT_THROW((void)CsvTable::read("/nonexistent/table.csv"), Error);
  EXPECT_THROW((void)CsvTable::read(test::TempPath("empty.csv", "").str()), Error);
  EXPECT_THROW((void)CsvTable::read(test::TempPath("ragged.csv", "a,b\n1\n").str()), TraceError);
  const CsvTable table = CsvTable::read(test::TempPath("text.csv", "alpha,b\nx,nan\n").str());
  EXPECT_THROW((void)table.integer(0, 0), TraceError);
  EXPECT_THROW((void)table.number(0, 1), TraceError);
  try {
    (void)table.column("alpa");
    FAIL() << "found";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("alpha"), std::string::npos);
  }
}

TEST(NelderMead, FindsTheMinimumOfASkewedBowl) {
  const auto loss = [](const std::vector<double>& x) { return std::pow(x[0] - 3.0, 2) + 10.0 * std::pow(x[1] - 0.5 * x[0], 2); };
  const std::vector<double> best = minimise(loss, {0.0, 0.0}, 0.5, 400);
  EXPECT_NEAR(best[0], 3.0, 1e-4);
  EXPECT_NEAR(best[1], 1.5, 1e-4);
  EXPECT_EQ(minimise(loss, {0.0, 0.0}, 0.5, 400), best);
}

TEST(Validation, SummaryMatchesHandCount) {
  const std::vector<ValidationRow> rows{{"g", "1", "latency_us", 10, 11, false}, {"g", "2", "latency_us", 10, 8, false}, {"g", "1", "latency_us", 10, 15, true}};
  const std::vector<GroupError> errors = summarise(rows);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_NEAR(errors[0].mape, 0.15, 1e-12);
  EXPECT_NEAR(errors[0].p95, 0.1 + 0.95 * 0.1, 1e-12);
  EXPECT_NEAR(errors[0].worst, 0.2, 1e-12);
  EXPECT_EQ(errors[0].count, 2u);
  EXPECT_TRUE(errors[1].held_out);
  EXPECT_NEAR(errors[1].mape, 0.5, 1e-12);
}

TEST(Validation, FoldsAreEvenAndRepeatable) {
  const std::vector<std::size_t> fold = assign_folds(103, kFolds);
  std::vector<int> counts(kFolds, 0);
  for (std::size_t f : fold) ++counts.at(f);
  for (int count : counts) { EXPECT_GE(count, 20); EXPECT_LE(count, 21); }
  EXPECT_EQ(assign_folds(103, kFolds), fold);
}

}  // namespace
}  // namespace brink::calibrate
