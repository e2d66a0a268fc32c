#include "sim/scenario/read_drift.h"

#include <gtest/gtest.h>

#include "tests/support/config_error.h"

namespace brink::scenario {
namespace {

DriftSettings read(const std::string& text) {
  const Json json = parse_json(text);
  ObjectReader in(json, "");
  return read_drift(in);
}

TEST(ReadDrift, ThePublishedLawWhenAbsent) {
  for (const char* text : {"{}", R"({"drift": {}})", R"({"drift": null})"}) {
    const DriftSettings got = read(text);
    EXPECT_EQ(to_json(got).dump(),
              R"({"rho_per_nat":0.1,"delta_median_nats":null,"changed_share":null,"delta_shape":"half_normal",)"
              R"("early_tokens":32,"early_flip_budget":0.001})");
    const drift::FlipLaw law = flip_law(got, nullptr, drift::Arithmetic::bf16);
    EXPECT_EQ(law.hazard(), drift::FlipLaw{}.hazard());
    EXPECT_EQ(flip_law(got, nullptr, drift::Arithmetic::fp16).delta_median, drift::delta_median_of(drift::Arithmetic::fp16));
  }
}

TEST(ReadDrift, EveryField) {
  const std::string text =
      R"({"rho_per_nat":0.17,"delta_median_nats":0.02,"changed_share":1.0,"delta_shape":"exponential","early_tokens":8,"early_flip_budget":0.01})";
  const DriftSettings got = read(R"({"drift": )" + text + "}");
  EXPECT_EQ(to_json(got).dump(), text);
  const drift::FlipLaw law = flip_law(got, nullptr, drift::Arithmetic::bf16);
  EXPECT_EQ(law.margin_density, drift::PerNat(0.17));
  EXPECT_EQ(law.delta_median, drift::Nats(0.02));
  EXPECT_EQ(law.changed_share, 1.0);
  EXPECT_EQ(law.shape, drift::DeltaShape::exponential);
  EXPECT_EQ(got.early.tokens, 8);
  EXPECT_EQ(got.early.flips, 0.01);
}

// What the scenario says goes before what a profile measured, and that before what was published.
TEST(ReadDrift, MeasuredBeforePublished) {
  cost::MeasuredDrift measured;
  measured.batches = {{8, 100, 0.5, 0.5, 0.0, 0.03, 0.1}};
  const drift::FlipLaw law = flip_law({}, &measured, drift::Arithmetic::bf16);
  EXPECT_EQ(law.delta_median, drift::Nats(0.03));
  EXPECT_EQ(law.changed_share, 0.5);
  const drift::FlipLaw given = flip_law(read(R"({"drift": {"changed_share": 0.1, "delta_median_nats": 0.5}})"), &measured,
                                        drift::Arithmetic::bf16);
  EXPECT_EQ(given.delta_median, drift::Nats(0.5));
  EXPECT_EQ(given.changed_share, 0.1);
  const cost::MeasuredDrift nothing;
  EXPECT_EQ(flip_law({}, &nothing, drift::Arithmetic::bf16).hazard(), drift::FlipLaw{}.hazard());
}

TEST(ReadDrift, BadFields) {
  const Json good = parse_json(R"({"drift": {}})");
  const test::BadField cases[] = {
      {"/drift", "[]", "/drift", "got an empty array; allowed: an object"},
      {"/drift/rho_per_nat", "0", "/drift/rho_per_nat", "got the integer 0; allowed: a number > 0 and <= 10 (per nat)"},
      {"/drift/rho_per_nat", "\"x\"", "/drift/rho_per_nat", "got the string \"x\"; allowed: a number > 0 and <= 10 (per nat)"},
      {"/drift/delta_median_nats", "-0.1", "/drift/delta_median_nats", "got the number -0.1; allowed: a number >= 0 and <= 10 (nats)"},
      {"/drift/changed_share", "1.5", "/drift/changed_share", "got the number 1.5; allowed: a number >= 0 and <= 1 (share of positions)"},
      {"/drift/changed_share", "true", "/drift/changed_share", "got true; allowed: a number >= 0 and <= 1 (share of positions)"},
      {"/drift/delta_shape", "\"normal\"", "/drift/delta_shape", "got the string \"normal\"; allowed: half_normal, exponential"},
      {"/drift/early_tokens", "0", "/drift/early_tokens", "got the integer 0; allowed: an integer >= 1 and <= 1e+06 (tokens)"},
      {"/drift/early_tokens", "1.5", "/drift/early_tokens", "got the number 1.5; allowed: an integer >= 1 and <= 1e+06 (tokens)"},
      {"/drift/early_flip_budget", "0", "/drift/early_flip_budget", "got the integer 0; allowed: a number > 0 and <= 1 (probability)"},
      {"/drift/change_share", "0.1", "/drift/change_share", "got an unknown field; did you mean 'changed_share'? allowed: rho_per_nat, delta_median_nats, changed_share, delta_shape, early_tokens, early_flip_budget"},
  };
  for (const test::BadField& bad : cases) {
    SCOPED_TRACE(bad.field);
    const Json json = test::with_bad_field(good, bad);
    test::expect_config_error([&] { ObjectReader in(json, ""); (void)read_drift(in); }, bad.pointer, bad.message);
  }
}

}  // namespace
}  // namespace brink::scenario
