#include "sim/conditions/combined_conditions.h"

#include <gtest/gtest.h>

#include "tests/unit/conditions/support.h"

namespace brink::conditions {
namespace {

class Fixed final : public serving::IStepConditions {
 public:
  Fixed(double sync_ms, std::int32_t condition, std::vector<Seconds> wait) : wait_(std::move(wait)) {
    effect_.sync = milliseconds(sync_ms);
    effect_.condition = condition;
    effect_.cause = static_cast<world::CauseId>(condition + 10);
    effect_.slowest_rank = condition;
  }
  serving::StepEffect on_step(const serving::StepQuery&) override {
    effect_.wait = wait_;
    return effect_;
  }

 private:
  serving::StepEffect effect_;
  std::vector<Seconds> wait_;
};

TEST(combined_conditions, delays_and_waits_add_up_and_the_largest_is_to_blame) {
  Fixed small(1.0, 0, {Seconds(0.001), Seconds(0.0)}), large(2.0, 1, {}), elsewhere(9.0, 2, {});
  CombinedConditions all;
  EXPECT_TRUE(all.empty());
  all.add(small);
  all.add(large);
  all.add(ReplicaId{3}, elsewhere);
  const auto effect = all.on_step(test::query(0, 0.0, 2));
  EXPECT_NEAR(to_ms(effect.sync), 3.0, 1e-12);
  EXPECT_EQ(effect.condition, 1);
  EXPECT_EQ(effect.cause, 11U);
  ASSERT_EQ(effect.wait.size(), 2U);
  EXPECT_EQ(effect.wait[0], Seconds(0.001));
  auto there = test::query(0, 0.0, 2);
  there.replica = ReplicaId{3};
  EXPECT_NEAR(to_ms(all.on_step(there).sync), 12.0, 1e-12);
  EXPECT_EQ(all.on_step(there).condition, 2);
}

TEST(combined_conditions, nothing_added_nobody_to_blame) {
  Fixed idle(0.0, 4, {});
  CombinedConditions all;
  all.add(idle);
  const auto effect = all.on_step(test::query(0, 0.0));
  EXPECT_EQ(effect.sync, Seconds(0.0));
  EXPECT_EQ(effect.condition, -1);
}

}  // namespace
}  // namespace brink::conditions
