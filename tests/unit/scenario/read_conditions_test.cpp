// What each kind reads, what it becomes, and one bad field a line.
#include "sim/scenario/read_conditions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "sim/scenario/make_conditions.h"
#include "tests/support/config_error.h"

namespace brink::scenario {
namespace {

ConditionContext context() {
  ConditionContext out;
  out.replicas = 4;
  out.ranks = 8;
  return out;
}

std::vector<Condition> read(const std::string& conditions) {
  const Json scenario = parse_json(R"({"conditions": )" + conditions + "}");
  ObjectReader in(scenario, "");
  return read_conditions(in, context());
}

TEST(read_conditions, none_when_absent) {
  const Json scenario = Json::object();
  ObjectReader in(scenario, "");
  EXPECT_TRUE(read_conditions(in, context()).empty());
  EXPECT_TRUE(read("[]").empty());
  EXPECT_EQ(to_json(std::vector<Condition>{}).dump(), "[]");
}

TEST(read_conditions, the_table_lists_every_kind) {
  const auto kinds = condition_kinds();
  EXPECT_EQ(std::set<std::string>(kinds.begin(), kinds.end()).size(), kinds.size());
  for (const char* kind : {"slow_rank", "stall", "jitter", "throttle", "gpu_spread"}) {
    EXPECT_EQ(std::count(kinds.begin(), kinds.end(), kind), 1) << kind;
  }
}

TEST(read_conditions, a_stall_that_repeats) {
  const auto all = read(R"([{"kind": "stall", "replica": 2, "rank": 5, "extra_ms": 1.2, "from_s": 10, "until_s": 70, "period_s": 10, "duty": 0.25}])");
  ASSERT_EQ(all.size(), 1U);
  const auto& stall = std::get<conditions::StallSettings>(all[0].settings);
  EXPECT_EQ(stall.target.replica, 2);
  EXPECT_EQ(stall.target.rank, 5);
  EXPECT_DOUBLE_EQ(to_ms(stall.extra), 1.2);
  EXPECT_EQ(stall.schedule.period, Seconds(10.0));
  EXPECT_EQ(stall.schedule.active, Seconds(2.5));
  EXPECT_EQ(to_json(all).dump(), R"([{"kind":"stall","name":null,"replica":2,"rank":5,"extra_ms":1.2,"from_s":10.0,"until_s":70.0,"period_s":10.0,"duty":0.25}])");
}

TEST(read_conditions, defaults_are_all_replicas_and_the_whole_run) {
  const auto all = read(R"([{"kind": "slow_rank", "rank": "all", "factor": 1.1}])");
  const auto& slow = std::get<conditions::RankSlowdownSettings>(all[0].settings);
  EXPECT_EQ(slow.target.replica, conditions::Target::all);
  EXPECT_EQ(slow.target.rank, conditions::Target::all);
  EXPECT_FALSE(is_finite(slow.schedule.until));
}

TEST(read_conditions, jitter_takes_its_body_from_how_the_engine_launches) {
  const auto graph = read(R"([{"kind": "jitter"}])");
  EXPECT_EQ(std::get<conditions::JitterSettings>(graph[0].settings).lateness.median, conditions::graph_lateness().median);
  ConditionContext eager = context();
  eager.eager = true;
  const Json scenario = parse_json(R"({"conditions": [{"kind": "jitter", "scale": 2}]})");
  ObjectReader in(scenario, "");
  const auto paced = read_conditions(in, eager);
  const auto& lateness = std::get<conditions::JitterSettings>(paced[0].settings).lateness;
  EXPECT_NEAR(to_us(lateness.median), 2 * 114.8, 1e-9);
  EXPECT_NEAR(lateness.sigma, conditions::eager_lateness().sigma, 1e-12);
  EXPECT_NEAR(to_ms(lateness.cap), 28.0, 1e-9);
  const auto own = read(R"([{"kind": "jitter", "median_us": 10, "p90_us": 40, "max_us": 500}])");
  const auto& body = std::get<conditions::JitterSettings>(own[0].settings).lateness;
  EXPECT_NEAR(to_us(body.quantile(0.5)), 10.0, 1e-9);
  EXPECT_NEAR(to_us(body.quantile(0.1)), 40.0, 1e-9);
  EXPECT_NEAR(to_us(body.quantile(1e-15)), 500.0, 1e-9);
}

TEST(read_conditions, a_power_cap_becomes_a_clock) {
  const auto all = read(R"([{"kind": "throttle", "rank": 1, "power_cap_w": 400}, {"kind": "throttle", "rank": 2, "power_cap_w": 400, "draw_w": 300}])");
  EXPECT_NEAR(std::get<conditions::ThrottleSettings>(all[0].settings).clock, 1590.0 / 1980.0, 1e-12);
  EXPECT_EQ(std::get<conditions::ThrottleSettings>(all[1].settings).clock, 1.0) << "the cap does not bind";
}

TEST(read_conditions, names_key_the_draws) {
  const auto given = read(R"([{"kind": "jitter", "name": "host", "replica": 1}, {"kind": "jitter", "replica": 0}])");
  EXPECT_EQ(given[0].name, "host");
  EXPECT_EQ(given[1].name, read(R"([{"replica": 0, "kind": "jitter", "scale": 1}])")[0].name) << "whatever the order and place";
  EXPECT_NE(given[1].name, read(R"([{"kind": "jitter", "replica": 2}])")[0].name);
}

TEST(read_conditions, intervals_of_one_kind_may_follow_each_other) {
  EXPECT_EQ(read(R"([{"kind": "stall", "rank": 1, "extra_ms": 1, "until_s": 10}, {"kind": "stall", "rank": 1, "extra_ms": 2, "from_s": 10},
                     {"kind": "stall", "rank": 2, "extra_ms": 1}, {"kind": "slow_rank", "rank": 1, "factor": 2}])").size(), 4U);
  EXPECT_EQ(read(R"([{"kind": "stall", "replica": 0, "rank": 1, "extra_ms": 1}, {"kind": "stall", "replica": 1, "rank": 1, "extra_ms": 1}])").size(), 2U);
}

// Resolved conditions read again are the same.
TEST(read_conditions, resolved_reads_back) {
  const auto all = read(R"([{"kind": "slow_rank", "rank": 3, "factor": 1.5, "until_s": 60}, {"kind": "jitter", "name": "j"},
                            {"kind": "throttle", "replica": 0, "rank": "all", "clock": 0.8, "ramp_s": 20, "clock_bound_share": 0.5},
                            {"kind": "throttle", "replica": 1, "rank": 0, "power_cap_w": 500, "from_s": 5, "until_s": 6, "name": "cap"},
                            {"kind": "gpu_spread", "outlier_share": 0.01}])");
  const std::string once = to_json(all).dump();
  const auto again = read(once);
  EXPECT_EQ(to_json(again).dump(), once);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(again[i].name, all[i].name);
}

class CountingLedger final : public world::ILedger {
 public:
  world::CauseId add(const world::LedgerEvent& event) override {
    conditions.push_back(event.condition);
    return static_cast<world::CauseId>(conditions.size());
  }
  void extend(world::CauseId, Seconds, Seconds, double, std::int64_t) override {}
  std::vector<std::int32_t> conditions;
};

serving::StepQuery step(std::uint64_t number) {
  serving::StepQuery q;
  q.step = number;
  q.launch = Seconds(0.02 * static_cast<double>(number));
  q.compute = milliseconds(10.0);
  q.collectives = 64;
  q.ranks = 8;
  return q;
}

TEST(make_conditions, nothing_acts_on_steps_without_conditions) {
  CountingLedger ledger;
  EXPECT_EQ(make_step_conditions({}, {}, 1, 8, ledger), nullptr);
  EXPECT_EQ(make_step_conditions(read("[]"), {}, 1, 8, ledger), nullptr);
}

// Taking entry 0 out moves entry 1 to index 0; its draws stay.
TEST(make_conditions, removing_an_entry_leaves_the_draws_of_the_rest) {
  CountingLedger ledger;
  const auto both = make_step_conditions(read(R"([{"kind": "stall", "replica": 3, "rank": 0, "extra_ms": 1}, {"kind": "jitter"}])"), {}, 9, 8, ledger);
  const auto rest = make_step_conditions(read(R"([{"kind": "jitter"}])"), {}, 9, 8, ledger);
  const auto other_seed = make_step_conditions(read(R"([{"kind": "jitter"}])"), {}, 10, 8, ledger);
  int different = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const auto a = both->on_step(step(i)), b = rest->on_step(step(i));
    EXPECT_EQ(a.sync, b.sync);
    EXPECT_EQ(a.slowest_rank, b.slowest_rank);
    different += other_seed->on_step(step(i)).sync != b.sync ? 1 : 0;
  }
  EXPECT_GT(different, 90);
  EXPECT_EQ(ledger.conditions, (std::vector<std::int32_t>{1, 0, 0})) << "roots carry the index in the list as it is";
}

struct Case {
  const char* conditions;
  const char* pointer;
  const char* message;  // part of "got ...; ..."
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.conditions; }

const Case cases[] = {
    {R"({})", "/conditions", "allowed: an array"},
    {R"([3])", "/conditions/0", "got the integer 3; allowed: an object"},
    {R"([{}])", "/conditions/0/kind", "got nothing; required: a name"},
    {R"([{"kind": "slow_rnk", "rank": 1}])", "/conditions/0/kind", "did you mean 'slow_rank'?"},
    {R"([{"kind": 3}])", "/conditions/0/kind", "got the integer 3"},
    {R"([{"kind": "slow_rank", "factor": 2}])", "/conditions/0/rank", "got nothing; required"},
    {R"([{"kind": "slow_rank", "rank": 8, "factor": 2}])", "/conditions/0/rank", "got the integer 8; allowed: \"all\" or a rank of the replica that exists: 0 to 7"},
    {R"([{"kind": "slow_rank", "rank": -1, "factor": 2}])", "/conditions/0/rank", "got the integer -1"},
    {R"([{"kind": "slow_rank", "rank": "every", "factor": 2}])", "/conditions/0/rank", "got the string \"every\""},
    {R"([{"kind": "slow_rank", "rank": 1.5, "factor": 2}])", "/conditions/0/rank", "got the number 1.5"},
    {R"([{"kind": "slow_rank", "replica": 4, "rank": 0, "factor": 2}])", "/conditions/0/replica", "got the integer 4; allowed: \"all\" or a replica that exists: 0 to 3"},
    {R"([{"kind": "slow_rank", "rank": 0}])", "/conditions/0/factor", "got nothing; required: a number"},
    {R"([{"kind": "slow_rank", "rank": 0, "factor": 0.9}])", "/conditions/0/factor", "got the number 0.9; allowed: a number >= 1"},
    {R"([{"kind": "slow_rank", "rank": 0, "factor": 2, "until_s": 0}])", "/conditions/0/until_s", "allowed: a number > 0"},
    {R"([{"kind": "slow_rank", "rank": 0, "factor": 2, "from_s": 9, "until_s": 8}])", "/conditions/0/until_s", "got the integer 8; allowed: a number > from_s (9 s)"},
    {R"([{"kind": "slow_rank", "rank": 0, "factor": 2, "from_s": -1}])", "/conditions/0/from_s", "allowed: a number >= 0"},
    {R"([{"kind": "slow_rank", "rank": 0, "factor": 2, "form_s": 1}])", "/conditions/0/form_s", "did you mean 'from_s'?"},
    {R"([{"kind": "stall", "rank": 0, "extra_ms": -1}])", "/conditions/0/extra_ms", "allowed: a number >= 0"},
    {R"([{"kind": "stall", "rank": 0, "extra_ms": 1, "duty": 0.5}])", "/conditions/0/duty", "allowed: only with period_s"},
    {R"([{"kind": "stall", "rank": 0, "extra_ms": 1, "period_s": 5}])", "/conditions/0/duty", "got nothing; required"},
    {R"([{"kind": "stall", "rank": 0, "extra_ms": 1, "period_s": 5, "duty": 1.5}])", "/conditions/0/duty", "allowed: a number > 0 and <= 1"},
    {R"([{"kind": "jitter", "rank": 0}])", "/conditions/0/rank", "got an unknown field"},
    {R"([{"kind": "jitter", "pacing": "graphs"}])", "/conditions/0/pacing", "did you mean 'graph'?"},
    {R"([{"kind": "jitter", "scale": 0}])", "/conditions/0/scale", "allowed: a number > 0"},
    {R"([{"kind": "jitter", "median_us": 50, "p90_us": 40}])", "/conditions/0/p90_us", "got 40; allowed: a number > median_us (50 us)"},
    {R"([{"kind": "jitter", "max_us": 20}])", "/conditions/0/max_us", "allowed: a number > p90_us"},
    {R"([{"kind": "throttle", "rank": 0}])", "/conditions/0/clock", "got nothing; allowed: either clock (fraction of the highest) or power_cap_w"},
    {R"([{"kind": "throttle", "rank": 0, "clock": 0.5, "power_cap_w": 400}])", "/conditions/0/power_cap_w", "allowed: either clock"},
    {R"([{"kind": "throttle", "rank": 0, "clock": 1.5}])", "/conditions/0/clock", "allowed: a number > 0 and <= 1"},
    {R"([{"kind": "throttle", "rank": 0, "clock": 0.5, "draw_w": 500}])", "/conditions/0/draw_w", "allowed: only with power_cap_w"},
    {R"([{"kind": "throttle", "rank": 0, "power_cap_w": 60}])", "/conditions/0/power_cap_w", "allowed: a number > 70"},
    {R"([{"kind": "throttle", "rank": 0, "clock": 0.5, "clock_bound_share": 2}])", "/conditions/0/clock_bound_share", "allowed: a number >= 0 and <= 1"},
    {R"([{"kind": "throttle", "rank": 0, "clock": 0.5, "period_s": 2}])", "/conditions/0/period_s", "got an unknown field"},
    {R"([{"kind": "gpu_spread", "deviation_percent": -1}])", "/conditions/0/deviation_percent", "allowed: a number >= 0"},
    {R"([{"kind": "gpu_spread", "outlier_share": 1.1}])", "/conditions/0/outlier_share", "allowed: a number >= 0 and <= 1"},
    {R"([{"kind": "gpu_spread", "outlier_factor": 0.5}])", "/conditions/0/outlier_factor", "allowed: a number >= 1"},
    {R"([{"kind": "jitter", "name": ""}])", "/conditions/0/name", "allowed: 1 to 100 characters"},
    {R"([{"kind": "jitter", "name": 5}])", "/conditions/0/name", "allowed: a string"},
    {R"([{"kind": "jitter", "name": "a", "replica": 0}, {"kind": "slow_rank", "name": "a", "rank": 1, "factor": 2}])", "/conditions/1/name",
     "got the string \"a\"; allowed: a name of its own; /conditions/0 has this one"},
    {R"([{"kind": "stall", "rank": 1, "extra_ms": 1, "until_s": 10}, {"kind": "stall", "rank": "all", "extra_ms": 2, "from_s": 9}])", "/conditions/1",
     "got a stall at 9 s on that meets /conditions/0 (0 to 10 s) on one GPU; allowed: intervals of one kind that do not overlap on any GPU"},
    {R"([{"kind": "jitter"}, {"kind": "slow_rank", "rank": 1, "factor": 2}, {"kind": "jitter", "replica": 2}])", "/conditions/2", "meets /conditions/0"},
};

class BadCondition : public testing::TestWithParam<Case> {};

TEST_P(BadCondition, is_refused_where_it_stands) {
  try {
    (void)read(GetParam().conditions);
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.pointer(), GetParam().pointer);
    const std::string text = "got " + error.got() + "; " + error.allowed();
    EXPECT_NE(text.find(GetParam().message), std::string::npos) << text;
    return;
  }
  ADD_FAILURE() << "no ConfigError";
}

INSTANTIATE_TEST_SUITE_P(conditions, BadCondition, testing::ValuesIn(cases));

}  // namespace
}  // namespace brink::scenario
