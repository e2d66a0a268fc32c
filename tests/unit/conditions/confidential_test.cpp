#include "sim/conditions/confidential.h"

#include <gtest/gtest.h>

namespace brink::conditions {
namespace {

const BytesPerSecond pcie(64e9);
const ConfidentialCost defaults({}, pcie);

double overhead(const StepCopies& copies, Seconds step) {
  return (defaults.host_before(copies) + defaults.host_after(copies)) / step;
}

TEST(confidential, a_steps_copies_are_counted) {
  const StepCopies decode{32, 32, 32, 256};
  EXPECT_EQ(decode.device_bytes(), Bytes(32 * 20.0 + 32 * (12.0 + 4.0 * 256)));
  EXPECT_EQ(decode.host_bytes(), Bytes(256.0));
  // Seven copies up and one down, 22 us each, and the bytes at 4.4 instead of 64 GB/s.
  const double bytes_us = 33'792.0 * (1e6 / 4.4e9 - 1e6 / 64e9);
  EXPECT_NEAR(to_us(defaults.host_before(decode)), 7 * 22.0 + bytes_us, 1e-6);
  EXPECT_NEAR(to_us(defaults.host_after(decode)), 22.0 + 256.0 * (1e6 / 4.4e9 - 1e6 / 64e9), 1e-6);
}

// Zhu et al. (arXiv 2409.03992), one H100: less than 7 % for Llama-3.1-8B, next to nothing for 70B. An 8B decode step
// reads 16 GB of weights: 5.4 ms and more; a 70B one takes 20 ms and more wherever it fits.
TEST(confidential, overhead_is_within_the_measured_bound) {
  for (const std::int64_t batch : {1, 32, 128, 256}) {
    const StepCopies copies{batch, batch, batch, 8192 / 16};
    EXPECT_LT(overhead(copies, milliseconds(6.5)), 0.07) << batch;
    EXPECT_GT(overhead(copies, milliseconds(6.5)), 0.01) << batch;
    EXPECT_LT(overhead(copies, milliseconds(25.0)), 0.015) << batch;
  }
}

TEST(confidential, longer_steps_cost_relatively_less) {
  const StepCopies decode{16, 16, 16, 512}, prefill{16, 8192, 16, 512};
  EXPECT_LT(overhead(prefill, milliseconds(400.0)), overhead(decode, milliseconds(7.0)) / 10.0);
}

TEST(confidential, transfers_pass_the_bounce_buffer) {
  EXPECT_NEAR(defaults.transfer(Bytes(4.4e9)).value(), 1.0, 1e-4);
  EXPECT_EQ(defaults.host_link(), BytesPerSecond(4.4e9));
  EXPECT_EQ(ConfidentialCost({}, BytesPerSecond(2e9)).host_link(), BytesPerSecond(2e9)) << "a slower link stays slower";
  EXPECT_EQ(defaults.start_up(), Seconds(10.0));
}

}  // namespace
}  // namespace brink::conditions
