// Memory evaporation, through the whole engine: replication and checkpoints each keep up with the link, together they do not.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/support/shipped_run.h"

namespace brink::test {
namespace {

const std::string scenario = "pathology_evaporation";
const std::string replication = R"({"kind": "replication", "link": "nic", "gb_per_s": 3.125)";
const std::string checkpoint = R"({"kind": "checkpoint", "link": "nic", "gb_per_s": 3.125, "from_s": 5, "period_s": 5)";

std::string conditions(const std::string& list) { return "/conditions=[" + list + "]"; }

double evaporated_share(const ShippedRun& run) { return run.at("/regimes/label_share/memory_evaporation"); }

void expect_calm(const ShippedRun& run) {
  EXPECT_EQ(run.at("/preemptions"), 0.0);
  EXPECT_LT(evaporated_share(run), 0.01);
  EXPECT_EQ(at_pointer(run.summary, "/cascades/by_kind/preemption"), nullptr);
}

TEST(Evaporation, BothTogetherPreempt) {
  const ShippedRun both(scenario);
  EXPECT_GT(both.at("/preemptions"), 100.0);
  EXPECT_GT(evaporated_share(both), 0.3);
  const ShippedRun without(scenario, {conditions("")});
  expect_calm(without);
  EXPECT_GT(both.at("/p99_ttft_ms"), 10.0 * without.at("/p99_ttft_ms"));
}

TEST(Evaporation, NeitherAlone) {
  expect_calm(ShippedRun(scenario, {conditions(replication + "}")}));
  expect_calm(ShippedRun(scenario, {conditions(checkpoint + "}")}));
}

TEST(Evaporation, NoneWhenCoordinated) {
  const std::string budget = R"(, "coordination": "budget"})";
  const ShippedRun run(scenario, {conditions(replication + budget + ", " + checkpoint + budget)});
  expect_calm(run);
  const ShippedRun without(scenario, {conditions("")});
  EXPECT_EQ(run.at("/completed"), without.at("/completed"));
  EXPECT_LT(run.at("/p99_ttft_ms"), 1.2 * without.at("/p99_ttft_ms"));  // steps are 2 % longer
}

TEST(Evaporation, NoneAtHalfTheRate) { expect_calm(ShippedRun(scenario, {"/workload/arrivals/rate_per_s=18"})); }

// The ledger has the chain, each link named by the one before: condition, pin, preemption, regime, broken SLO.
TEST(Evaporation, LedgerHoldsTheCascade) {
  const ShippedRun run(scenario);
  std::map<std::int64_t, Json> events;
  std::set<std::string> chains;
  for (const Json& event : run.lines("ledger.jsonl")) {
    std::string chain = event.find("kind")->as_string();
    for (std::int64_t cause = integer(event, "cause"); cause != 0;) {
      const Json& before = events.at(cause);
      chain = before.find("kind")->as_string() + " > " + chain;
      cause = integer(before, "cause");
    }
    chains.insert(chain);
    events.emplace(integer(event, "id"), event);
  }
  EXPECT_TRUE(chains.contains("condition > pin > preemption"));
  EXPECT_TRUE(chains.contains("condition > pin > preemption > regime_change") || chains.contains("condition > pin > regime_change"));
  bool violated = false;
  for (const std::string& chain : chains) violated = violated || chain.ends_with("slo_violation");
  EXPECT_TRUE(violated);
  // Both conditions have a tree in which requests were preempted.
  std::set<std::int64_t> guilty;
  for (const auto& [id, event] : events) {
    if (event.find("kind")->as_string() != "preemption") continue;
    const Json* root = &event;
    while (integer(*root, "cause") != 0) root = &events.at(integer(*root, "cause"));
    guilty.insert(integer(*root, "condition"));
  }
  EXPECT_FALSE(guilty.empty());
  EXPECT_FALSE(guilty.contains(-1)) << "no preemption is the load's";
}

}  // namespace
}  // namespace brink::test
