// Known answers: NCCL 2.30's own tuning computed for these fabrics, times to 0.1 us.
#include "models/plan/nccl.h"

#include <gtest/gtest.h>

namespace brink::plan {
namespace {

struct Machine {
  fabric::RankLayout layout;
  fabric::NcclSetting setting;
};

NcclChoice chosen(double bytes, const Machine& machine) { return choose_nccl_all_reduce(Bytes(bytes), machine.layout, machine.setting); }

struct Known {
  Machine fabric;
  double bytes;
  const char* tactic;
  double microseconds;
};

class NcclChoiceTest : public testing::TestWithParam<Known> {};

TEST_P(NcclChoiceTest, TacticAndEstimate) {
  const NcclChoice choice = chosen(GetParam().bytes, GetParam().fabric);
  EXPECT_EQ(tactic_name(choice), GetParam().tactic) << GetParam().bytes;
  EXPECT_NEAR(to_us(choice.estimate), GetParam().microseconds, 0.1 + 2e-4 * GetParam().microseconds);
}

constexpr fabric::NcclSetting rings_only = {.nvls = false};
constexpr Machine with{{1, 8}, {}}, without{{1, 8}, rings_only}, four{{1, 4}, {}}, two{{2, 8}, {}};

INSTANTIATE_TEST_SUITE_P(
    Table, NcclChoiceTest,
    testing::Values(Known{with, 8192, "Ring/LL", 15.1}, Known{with, 524288, "Ring/LL", 21.5},
                    Known{with, 1048576, "Ring/LL", 28.0}, Known{with, 2097152, "NVLS/Simple", 32.7},
                    Known{with, 67108864, "NVLS/Simple", 271.7}, Known{without, 2097152, "Ring/LL", 41.0},
                    Known{without, 8388608, "Ring/LL128", 84.9}, Known{without, 67108864, "Ring/Simple", 382.2},
                    Known{four, 262144, "Ring/LL", 13.0}, Known{four, 8388608, "Ring/LL128", 63.4},
                    Known{four, 67108864, "Ring/Simple", 308.4}, Known{two, 8192, "Tree/LL", 25.8},
                    Known{two, 65536, "Tree/LL", 30.8}, Known{two, 131072, "Tree/LL", 38.6},
                    Known{two, 262144, "Tree/LL128", 51.3}, Known{two, 1048576, "Tree/LL128", 59.8},
                    Known{two, 2097152, "Tree/LL128", 71.0}, Known{two, 8388608, "NVLSTree/Simple", 100.9},
                    Known{two, 67108864, "NVLSTree/Simple", 339.4}));

// Bytes of the first message (in steps of 1 KiB) that no longer runs `tactic`.
double leaves(const Machine& fabric, const std::string& tactic, double from) {
  double bytes = from;
  while (tactic_name(chosen(bytes, fabric)) == tactic) bytes += 1024.0;
  return bytes;
}

// The constants are printed to 0.1 us, which moves a switch point by up to 2 %.
TEST(NcclSwitchPoints, WithinTwoPercentOfTheTable) {
  EXPECT_NEAR(leaves(with, "Ring/LL", 256), 1146368.0, 0.02 * 1146368.0);
  EXPECT_NEAR(leaves(without, "Ring/LL", 256), 3592192.0, 0.02 * 3592192.0);
  EXPECT_NEAR(leaves(without, "Ring/LL128", 3700000), 36679680.0, 0.02 * 36679680.0);
  EXPECT_NEAR(leaves(four, "Ring/LL", 256), 2517504.0, 0.02 * 2517504.0);
  EXPECT_NEAR(leaves(four, "Ring/LL128", 2600000), 9525248.0, 0.02 * 9525248.0);
  EXPECT_NEAR(leaves(two, "Tree/LL", 256), 257536.0, 0.02 * 257536.0);
  EXPECT_NEAR(leaves(two, "Tree/LL128", 300000), 2762240.0, 0.02 * 2762240.0);
}

}  // namespace
}  // namespace brink::plan
