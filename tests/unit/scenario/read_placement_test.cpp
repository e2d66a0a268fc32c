#include "sim/scenario/read_placement.h"

#include <gtest/gtest.h>

#include "tests/support/config_error.h"

namespace brink::scenario {
namespace {

PlacementSettings read(const std::string& text) {
  const Json json = parse_json(text);
  ObjectReader in(json, "");
  return read_placement(in);
}

TEST(ReadPlacement, PackedWhenAbsent) {
  for (const char* text : {"{}", R"({"placement": {}})", R"({"placement": null})", R"({"placement": {"policy": null}})"}) {
    EXPECT_EQ(read(text).policy, fabric::PlacementPolicy::packed);
    EXPECT_EQ(read(text).resolved.dump(), R"({"policy":"packed"})");
  }
}

TEST(ReadPlacement, EveryPolicyComesBackAsItWasGiven) {
  for (const std::string& name : fabric::placement_policy_names()) {
    const PlacementSettings got = read(R"({"placement": {"policy": ")" + name + "\"}}");
    EXPECT_EQ(fabric::policy_name(got.policy), name);
    EXPECT_EQ(got.resolved.dump(), R"({"policy":")" + name + "\"}");
  }
}

TEST(ReadPlacement, BadFields) {
  const Json good = parse_json(R"({"placement": {}})");
  const test::BadField cases[] = {
      {"/placement", "\"packed\"", "/placement", "got the string \"packed\"; allowed: an object"},
      {"/placement/policy", "\"rail-aligned\"", "/placement/policy",
       "got the string \"rail-aligned\"; did you mean 'rail_aligned'? allowed: packed, rail_aligned, spread"},
      {"/placement/policy", "1", "/placement/policy", "got the integer 1; allowed: packed, rail_aligned, spread"},
      {"/placement/polcy", "\"spread\"", "/placement/polcy", "got an unknown field; did you mean 'policy'? allowed: policy"},
  };
  for (const test::BadField& bad : cases) {
    const Json json = test::with_bad_field(good, bad);
    test::expect_config_error([&] { ObjectReader in(json, ""); (void)read_placement(in); }, bad.pointer, bad.message);
  }
}

}  // namespace
}  // namespace brink::scenario
