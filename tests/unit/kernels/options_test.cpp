#include "kernels/runner/options.h"

#include <gtest/gtest.h>

namespace brink::kernels {
namespace {

const std::vector<std::string> known = {"launch", "hbm", "l2"};

TEST(KernelOptions, AllGroupsByDefault) {
  const Options o = parse_options({}, known);
  EXPECT_EQ(o.groups, known);
  EXPECT_EQ(o.budget_s, 500);
  EXPECT_EQ(o.out, "results.jsonl");
  EXPECT_FALSE(o.resume || o.retry_failed || o.in_process || o.list || o.help);
}

TEST(KernelOptions, GroupsRunInTheOrderOfTheTable) {
  const Options o =
      parse_options({"--groups", "l2,launch", "--budget-s", "12.5", "--out", "r", "--resume", "--device", "2"}, known);
  EXPECT_EQ(o.groups, (std::vector<std::string>{"launch", "l2"}));
  EXPECT_EQ(o.budget_s, 12.5);
  EXPECT_EQ(o.out, "r");
  EXPECT_EQ(o.device, 2);
  EXPECT_TRUE(o.resume);
}

std::string message(const std::vector<std::string>& arguments) {
  try {
    parse_options(arguments, known);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(KernelOptions, SaysWhatIsWrong) {
  EXPECT_EQ(message({"--groups", "hbm,l3"}), "no group 'l3'; there are launch, hbm, l2");
  EXPECT_EQ(message({"--groups", ""}), "no group ''; there are launch, hbm, l2");
  EXPECT_EQ(message({"--groups"}), "--groups needs a value");
  EXPECT_EQ(message({"--budget-s", "0"}), "--budget-s takes a number above 0, not '0'");
  EXPECT_EQ(message({"--budget-s", "9m"}), "--budget-s takes a number above 0, not '9m'");
  EXPECT_EQ(message({"--budget-s", "inf"}), "--budget-s takes a number above 0, not 'inf'");
  EXPECT_EQ(message({"--device", "-1"}), "--device takes an index from 0, not '-1'");
  EXPECT_EQ(message({"--out", ""}), "--out needs a file name");
  EXPECT_EQ(message({"--fast"}), "unknown argument '--fast'");
}

TEST(KernelOptions, UsageNamesEveryOption) {
  for (const char* option : {"--groups", "--budget-s", "--out", "--resume", "--retry-failed", "--device",
                             "--in-process", "--list"}) {
    EXPECT_NE(usage().find(option), std::string::npos) << option;
  }
}

}  // namespace
}  // namespace brink::kernels
