// Opening NCCL at run time, and what its numbers mean.
#include "kernels/collective/nccl_library.h"

#include <gtest/gtest.h>

namespace brink::kernels {
namespace {

TEST(NcclLibrary, SaysWhyItIsMissing) {
  const NcclLibrary absent("libno-such-collective.so.2");
  EXPECT_FALSE(absent.available());
  EXPECT_NE(absent.missing().find("libno-such-collective.so.2"), std::string::npos) << absent.missing();
}

TEST(NcclLibrary, RefusesALibraryWithoutItsFunctions) {
  const NcclLibrary other("libm.so.6");
  EXPECT_FALSE(other.available());
  EXPECT_NE(other.missing().find("ncclCommInitAll"), std::string::npos) << other.missing();
}

TEST(NcclVersion, IsReadInBothNumberings) {
  EXPECT_EQ(nccl_version_name(22809), "2.28.9");
  EXPECT_EQ(nccl_version_name(23007), "2.30.7");
  EXPECT_EQ(nccl_version_name(2708), "2.7.8");
}

TEST(BusBandwidth, IsTwiceTheShareThatCrossesALink) {
  EXPECT_DOUBLE_EQ(all_reduce_bus_bandwidth(8, 8e9, 1.0), 14e9);
  EXPECT_DOUBLE_EQ(all_reduce_bus_bandwidth(2, 1e9, 0.5), 2e9);
}

}  // namespace
}  // namespace brink::kernels
