// The loop that a controller closes: a slower step lowers the limit, a lower limit lengthens the queue. On a toy
// replica whose open-loop behaviour is known exactly, so that what is left is the controller's doing. Seeds are
// fixed: a failure is a change of behaviour, not chance.
#include <cmath>
#include <memory>

#include <gtest/gtest.h>

#include "models/base/samples.h"
#include "sim/policy/aimd_controller.h"
#include "sim/policy/pang_controller.h"
#include "toy_replica.h"

namespace brink::policy {
namespace {

using testing::ToyReplica;
using testing::ToyRun;
using testing::ToySettings;
using testing::ToyStep;

enum class Policy { none, aimd, pang };

std::unique_ptr<IController> controller(Policy policy) {
  if (policy == Policy::none) return nullptr;
  if (policy == Policy::aimd) return std::make_unique<AimdController>(AimdSettings{});  // 1.05 of the learned median
  PangSettings s;
  s.target = milliseconds(26);
  s.tolerance = milliseconds(0.5);
  return std::make_unique<PangController>(s);
}

// Rank 5 is late by `extra` ms for 4 s of every 5 s, from second 120 to 132; 60 sequences decode in calm steps of 24 ms.
constexpr double stall_from = 120.0, stall_to = 132.0, run_to = 260.0;

ToyRun run_with_stalls(Policy policy, double extra, std::uint64_t seed) {
  ToySettings s;
  s.seed = seed;
  s.until_s = run_to;
  s.rate_max = 60.0 / (200.0 * 0.024);
  s.rate_per_s = [rate = s.rate_max](double) { return rate; };
  s.stall_ms = [extra](double t) {
    return t >= stall_from && t < stall_to && std::fmod(t - stall_from, 5.0) < 4.0 ? extra : 0.0;
  };
  return ToyReplica(s).run(controller(policy).get());
}

struct Response {
  double fall = 0.0;         // of the batch, against the calm mean
  double queue_ratio = 0.0;  // p95 of the wait, against the calm one
  double recovery_s = 0.0;   // until that is below 50 ms for good
};

constexpr int seeds = 6;

Response response(Policy policy, double extra) {
  Response mean;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const ToyRun run = run_with_stalls(policy, extra, seed);
    const double calm = testing::mean_batch(run, 90, stall_from);
    mean.fall += (1.0 - testing::smallest_batch(run, stall_from, stall_to + 4.0) / calm) / seeds;
    mean.queue_ratio += testing::wait_quantile(run, 0.95, stall_from, stall_to + 4.0) /
                        testing::wait_quantile(run, 0.95, 90, stall_from) / seeds;
    mean.recovery_s += testing::recovery_s(run, stall_to, run_to, 50.0) / seeds;
  }
  return mean;
}

TEST(control_loop, without_control_a_step_grows_by_the_stall_and_the_batch_follows_no_limit) {
  const ToyRun run = run_with_stalls(Policy::none, 5.0, 1);
  double stalled = 0.0;
  for (const ToyStep& s : run.steps) {
    EXPECT_NEAR(s.time_ms - (21.0 + 0.05 * static_cast<double>(s.batch)), s.stall_ms, 1e-9);
    EXPECT_EQ(s.seats, 1024);
    stalled += s.stall_ms > 0.0 ? 1.0 : 0.0;
  }
  EXPECT_GT(stalled, 200.0);
  const Response none = response(Policy::none, 5.0), calm = response(Policy::none, 0.0);
  EXPECT_LE(none.fall, calm.fall) << "longer steps hold more requests, not fewer";
  EXPECT_LT(none.queue_ratio, 1.5);
  EXPECT_EQ(none.recovery_s, 0.0);
}

TEST(control_loop, aimd_answers_a_stall_by_its_dose) {
  const Response none = response(Policy::none, 0.0);
  double before = 0.0;
  for (const double extra : {0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0}) {
    const Response aimd = response(Policy::aimd, extra);
    SCOPED_TRACE(::testing::Message() << extra << " ms: fall " << aimd.fall << ", queue x" << aimd.queue_ratio
                                      << ", recovery " << aimd.recovery_s << " s");
    EXPECT_GE(aimd.fall, before - 0.04);
    before = aimd.fall;
    if (extra <= 0.5) {  // half of what the target forgives
      EXPECT_NEAR(aimd.fall, none.fall, 0.02);
      EXPECT_LT(aimd.queue_ratio, 1.1);
    }
    if (extra >= 2.0) {
      EXPECT_GE(aimd.fall, 0.30);
      EXPECT_GE(aimd.queue_ratio, 2.0);
      EXPECT_GT(aimd.recovery_s, 10.0);
      EXPECT_LT(aimd.recovery_s, 90.0);
    }
  }
}

TEST(control_loop, every_seed_shows_the_fall_and_the_queue_of_a_stall_of_five_ms) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const ToyRun run = run_with_stalls(Policy::aimd, 5.0, seed);
    const double calm = testing::mean_batch(run, 90, stall_from);
    EXPECT_LE(testing::smallest_batch(run, stall_from, stall_to), 0.7 * calm) << seed;
    EXPECT_GE(testing::wait_quantile(run, 0.95, stall_from, stall_to),
              2.0 * testing::wait_quantile(run, 0.95, 90, stall_from))
        << seed;
  }
}

// From a limit of s to the batch b it takes (b - s) / increase intervals of 20 steps.
TEST(control_loop, aimd_gives_seats_back_at_the_stated_pace) {
  const ToyRun run = run_with_stalls(Policy::aimd, 5.0, 1);
  double low_at = 0.0, back_at = 0.0;
  std::int64_t low = 1024;
  for (const ToyStep& s : run.steps) {
    if (s.at_s >= stall_to - 1.0 && s.at_s < stall_to + 2.0 && s.seats <= low) {
      low = s.seats;
      low_at = s.at_s;
    }
    if (low_at > 0.0 && back_at == 0.0 && s.at_s > stall_to + 2.0 && s.seats >= 58) back_at = s.at_s;
  }
  const double intervals = static_cast<double>(58 - low) / 2.0;
  EXPECT_NEAR(back_at - low_at, intervals * 20.0 * 0.0225, 3.0) << "from " << low << " seats at " << low_at;
}

TEST(control_loop, pang_falls_and_recovers_faster) {
  const Response light = response(Policy::pang, 0.5), heavy = response(Policy::pang, 5.0), aimd = response(Policy::aimd, 5.0);
  EXPECT_LT(light.queue_ratio, 1.1);
  EXPECT_GT(heavy.queue_ratio, 2.0);
  EXPECT_GT(heavy.fall, light.fall + 0.1);
  EXPECT_LT(heavy.recovery_s, 0.5 * aimd.recovery_s) << "its interval opens in steps, not in intervals of them";
}

/// Loads 12, 13, ... 19 requests/s and back, 40 s each. Area of the loop that `state` describes on the way down
/// above the way up, over the second half of each load.
template <class State>
Samples loop_areas(Policy policy, State state) {
  constexpr double start = 100.0, dwell = 40.0;
  constexpr int loads = 8;
  Samples areas;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    ToySettings s;
    s.seed = seed;
    s.until_s = start + dwell * 2 * loads;
    s.rate_max = 19.0;
    s.rate_per_s = [](double t) {
      const int k = t < start ? 0 : static_cast<int>((t - start) / dwell);
      return 12.0 + std::min(k, std::max(2 * loads - 1 - k, 0));
    };
    const ToyRun run = ToyReplica(s).run(controller(policy).get());
    double area = 0.0;
    for (int k = 0; k < loads; ++k) {
      const double up = start + dwell * (k + 0.5), down = start + dwell * (2 * loads - 1 - k + 0.5);
      area += state(run, down, down + 0.5 * dwell) - state(run, up, up + 0.5 * dwell);
    }
    areas.add(area);
  }
  return areas;
}

// Half of the 95 % interval of a mean of ten: t(9) = 2.262.
double half_interval(const Samples& s) { return 2.262 * s.stddev() / std::sqrt(static_cast<double>(s.count() - 1)); }

TEST(control_loop, a_ramp_across_the_knee_leaves_a_loop_under_aimd_and_none_without) {
  const auto queue = [](const ToyRun& run, double from, double to) { return testing::wait_quantile(run, 0.95, from, to); };
  const Samples none = loop_areas(Policy::none, queue), aimd = loop_areas(Policy::aimd, queue);
  EXPECT_LE(std::abs(none.mean()), half_interval(none)) << "indistinguishable from 0";
  EXPECT_GT(aimd.mean() - half_interval(aimd), 1e4) << "ms of queue x requests/s";

  const auto batch = [](const ToyRun& run, double from, double to) { return testing::mean_batch(run, from, to); };
  const Samples none_batch = loop_areas(Policy::none, batch), aimd_batch = loop_areas(Policy::aimd, batch);
  EXPECT_LE(std::abs(none_batch.mean()), half_interval(none_batch));
  EXPECT_GT(aimd_batch.mean() - half_interval(aimd_batch), 0.0) << "the backlog keeps the batch full at loads it fitted before";
}

}  // namespace
}  // namespace brink::policy
