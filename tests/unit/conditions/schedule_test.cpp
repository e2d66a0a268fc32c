#include "sim/conditions/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sim/conditions/target.h"

namespace brink::conditions {
namespace {

TEST(schedule, acts_from_its_begin_to_its_end) {
  const Schedule s{Seconds(10.0), Seconds(20.0), {}, {}};
  EXPECT_FALSE(s.at(Seconds(9.999)).acting);
  EXPECT_EQ(s.at(Seconds(9.0)).until, Seconds(10.0));
  EXPECT_TRUE(s.at(Seconds(10.0)).acting);
  EXPECT_EQ(s.at(Seconds(15.0)).since, Seconds(10.0));
  EXPECT_EQ(s.at(Seconds(15.0)).until, Seconds(20.0));
  EXPECT_FALSE(s.at(Seconds(20.0)).acting) << "the end is not part of it";
  EXPECT_FALSE(is_finite(s.at(Seconds(20.0)).until));
}

TEST(schedule, repeats_within_its_interval) {
  const Schedule s{Seconds(5.0), Seconds(26.0), Seconds(10.0), Seconds(2.5)};
  for (const double begin : {5.0, 15.0, 25.0}) {
    EXPECT_TRUE(s.at(Seconds(begin)).acting) << begin;
    EXPECT_EQ(s.at(Seconds(begin + 0.5)).since, Seconds(begin)) << "a burst has one begin";
  }
  EXPECT_FALSE(s.at(Seconds(7.5)).acting);
  EXPECT_EQ(s.at(Seconds(8.0)).until, Seconds(15.0));
  EXPECT_EQ(s.at(Seconds(25.5)).until, Seconds(26.0)) << "cut by the end";
}

// With periods that are no binary fractions every answer still belongs to one burst, and bursts follow each other.
TEST(schedule, phases_tile_time) {
  const Schedule s{Seconds(0.3), Seconds(1e6), Seconds(0.7), Seconds(0.1)};
  Seconds now(0.0);
  for (int i = 0; i < 20'000; ++i) {
    const Phase phase = s.at(now);
    ASSERT_GT(phase.until, now);
    const Phase last = s.at(Seconds(std::nextafter(phase.until.value(), 0.0)));
    EXPECT_EQ(last.acting, phase.acting) << now.value();
    EXPECT_EQ(last.since, phase.since);
    ASSERT_NE(s.at(phase.until).acting, phase.acting) << now.value();
    now = phase.until;
  }
}

TEST(target, minus_one_is_all) {
  const Target every, one{2, 5};
  EXPECT_TRUE(every.covers(ReplicaId{7}) && every.covers_rank(3));
  EXPECT_TRUE(one.covers(ReplicaId{2}) && one.covers_rank(5));
  EXPECT_FALSE(one.covers(ReplicaId{3}) || one.covers_rank(4));
  EXPECT_TRUE(one.meets(every) && every.meets(one));
  EXPECT_TRUE((Target{2, -1}.meets(one)));
  EXPECT_FALSE((Target{2, 4}.meets(one)));
  EXPECT_FALSE((Target{1, -1}.meets(one)));
}

}  // namespace
}  // namespace brink::conditions
