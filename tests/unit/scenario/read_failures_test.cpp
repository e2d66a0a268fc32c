// Failures among /conditions: what is filled in, and what does not go together with them.
#include "sim/scenario/read_failures.h"

#include <gtest/gtest.h>

#include "sim/scenario/scenario.h"
#include "tests/unit/scenario/base_scenario.h"

namespace brink::scenario {
namespace {

Json with(const std::string& conditions, const std::string& more = "{}") {
  Json json = test::good_scenario();
  set_at_pointer(json, "/engine/data_parallel_size", Json(4));
  set_at_pointer(json, "/conditions", parse_json(conditions));
  const Json added = parse_json(more);
  for (const Json::Member& member : added.members()) set_at_pointer(json, "/" + member.first, member.second);
  return json;
}

Scenario read(const Json& json) { return read_scenario(json, test::base_dir); }

TEST(read_failures, defaults_are_filled_in) {
  const Scenario scenario = read(with(R"([{"kind": "replica_failure", "replica": 2, "from_s": 5},
    {"kind": "node_failure", "node": 0, "from_s": 6, "recovers_after_s": 7, "on_failure": "fail"}])"));
  const auto& one = std::get<FailureSettings>(scenario.conditions[0].settings);
  EXPECT_EQ(one.replica, 2);
  EXPECT_FALSE(one.recovers_after);
  EXPECT_EQ(one.on_failure, serving::OnFailure::retry);
  const auto& two = std::get<FailureSettings>(scenario.conditions[1].settings);
  EXPECT_EQ(two.node, 0);
  EXPECT_EQ(two.recovers_after->value(), 7.0);
  EXPECT_EQ(two.on_failure, serving::OnFailure::fail);
  const Json once = resolved(scenario);
  EXPECT_EQ(resolved(read(once)).dump(), once.dump());
}

TEST(read_failures, what_does_not_fit_is_refused_by_name) {
  const std::string failure = R"([{"kind": "replica_failure", "replica": 0, "from_s": 1}])";
  struct Bad {
    std::string conditions, more, pointer;
  };
  for (const Bad& bad : {
           Bad{failure, R"({"observe": {"drift": true}})", "/observe/drift"},
           Bad{R"([{"kind": "replica_failure", "replica": 4, "from_s": 1}])", "{}", "/conditions/0/replica"},
           Bad{R"([{"kind": "replica_failure", "replica": 0}])", "{}", "/conditions/0/from_s"},
           Bad{R"([{"kind": "replica_failure", "replica": 0, "from_s": 1, "on_failure": "resume"}])", "{}", "/conditions/0/on_failure"},
           Bad{R"([{"kind": "node_failure", "node": 1, "from_s": 1}])", "{}", "/conditions/0/node"},
           Bad{R"([{"kind": "replication"}, {"kind": "node_failure", "node": 0, "from_s": 1}])", "{}", "/conditions/0/kind"},
           Bad{R"([{"kind": "replica_failure", "replica": 0, "from_s": 1}, {"kind": "replica_failure", "replica": 0, "from_s": 2}])", "{}", "/conditions/1"},
       }) {
    try {
      (void)read(with(bad.conditions, bad.more));
      ADD_FAILURE() << bad.conditions << bad.more << " is accepted";
    } catch (const ConfigError& error) {
      EXPECT_EQ(error.pointer(), bad.pointer) << error.what();
    }
  }
}

}  // namespace
}  // namespace brink::scenario
