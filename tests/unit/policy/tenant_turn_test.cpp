#include "sim/policy/i_tenant_turn.h"

#include <vector>

#include <gtest/gtest.h>

namespace brink::policy {
namespace {

std::vector<std::int32_t> turns(ITenantTurn& turn, int n) {
  std::vector<std::int32_t> out;
  for (int i = 0; i < n; ++i) out.push_back(turn.next());
  return out;
}

using Turns = std::vector<std::int32_t>;

TEST(tenant_turn, nobody_without_work) {
  const auto turn = make_round_robin_turn();
  EXPECT_EQ(turn->next(), -1);
  turn->leave(7);
  EXPECT_EQ(turn->size(), 0);
}

TEST(tenant_turn, each_in_turn_in_the_order_they_came) {
  const auto turn = make_round_robin_turn();
  for (const std::int32_t t : {2, 0, 5, 2}) turn->join(t);  // twice is once
  EXPECT_EQ(turn->size(), 3);
  EXPECT_EQ(turns(*turn, 7), (Turns{2, 0, 5, 2, 0, 5, 2}));
}

TEST(tenant_turn, a_newcomer_waits_one_round_and_a_leaver_none) {
  const auto turn = make_round_robin_turn();
  for (const std::int32_t t : {0, 1, 2}) turn->join(t);
  EXPECT_EQ(turns(*turn, 2), (Turns{0, 1}));
  turn->join(3);
  EXPECT_EQ(turns(*turn, 4), (Turns{2, 0, 1, 3}));
  turn->leave(0);
  EXPECT_EQ(turns(*turn, 4), (Turns{2, 1, 3, 2}));
  for (const std::int32_t t : {1, 2, 3}) turn->leave(t);
  EXPECT_EQ(turn->next(), -1);
}

TEST(tenant_turn, a_quantum_keeps_the_turn_for_some_steps) {
  const auto turn = make_round_robin_turn(3);
  turn->join(0);
  turn->join(1);
  EXPECT_EQ(turns(*turn, 8), (Turns{0, 0, 0, 1, 1, 1, 0, 0}));
  turn->leave(0);
  EXPECT_EQ(turns(*turn, 5), (Turns{1, 1, 1, 1, 1})) << "alone it goes on";
}

TEST(tenant_turn, aging_moves_the_turn_on_before_the_quantum_is_used_up) {
  const auto turn = make_round_robin_turn(100, 3);
  turn->join(0);
  turn->join(1);
  EXPECT_EQ(turns(*turn, 10), (Turns{0, 0, 0, 1, 1, 1, 0, 0, 0, 1}));
  turn->leave(0);
  turn->leave(1);
  turn->join(0);
  turn->join(1);
  (void)turns(*turn, 50);
  // From then on nobody waits for more than the age.
  int waited[2] = {0, 0};
  for (int i = 0; i < 200; ++i) {
    const std::int32_t t = turn->next();
    waited[t] = 0;
    EXPECT_LE(++waited[1 - t], 3);
  }
}

TEST(tenant_turn, who_cannot_use_the_turn_passes_it_on) {
  const auto turn = make_round_robin_turn(10);
  for (const std::int32_t t : {0, 1, 2}) turn->join(t);
  EXPECT_EQ(turn->next(), 0);
  turn->pass();
  EXPECT_EQ(turn->next(), 1);
  turn->pass();
  EXPECT_EQ(turn->next(), 2);
  EXPECT_EQ(turn->next(), 2) << "it could, and has its quantum";
}

// 40 tenants with work half of the time: a tenant with work waits at most as many steps as others had work.
TEST(tenant_turn, nobody_starves) {
  const auto turn = make_round_robin_turn();
  std::vector<int> waiting(40, -1);
  std::uint32_t state = 1;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 1664525U + 1013904223U;
    const auto t = static_cast<std::size_t>(state >> 16) % 40;
    if (((state >> 9) & 1U) != 0) {
      turn->join(static_cast<std::int32_t>(t));
      if (waiting[t] < 0) waiting[t] = 0;
    } else {
      turn->leave(static_cast<std::int32_t>(t));
      waiting[t] = -1;
    }
    const std::int32_t next = turn->next();
    for (int& w : waiting) w += w >= 0 ? 1 : 0;
    if (next < 0) continue;
    ASSERT_GT(waiting[static_cast<std::size_t>(next)], 0) << "only who has work";
    waiting[static_cast<std::size_t>(next)] = 0;
    for (const int w : waiting) ASSERT_LE(w, 40);
  }
}

}  // namespace
}  // namespace brink::policy
