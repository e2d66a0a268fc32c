#include "sim/scenario/read_regimes.h"

#include <gtest/gtest.h>

#include "tests/support/config_error.h"

namespace brink::scenario {
namespace {

RegimeSettings read(const std::string& text) {
  const Json json = parse_json(text);
  ObjectReader in(json, "");
  return read_regimes(in);
}

TEST(ReadRegimes, TheArticlesWhenAbsent) {
  for (const char* text : {"{}", R"({"regimes": {}})", R"({"regimes": null})"}) {
    EXPECT_EQ(read(text).resolved.dump(),
              R"({"evaporation_ratio":0.05,"pressured_mib":1024.0,"queue_p95_ms":50.0,"paging_window_s":1.0,)"
              R"("queue_window_s":5.0,"pins":"all"})");
  }
}

TEST(ReadRegimes, EveryField) {
  const std::string text =
      R"({"evaporation_ratio":0.1,"pressured_mib":512.0,"queue_p95_ms":20.0,"paging_window_s":2.0,"queue_window_s":10.0,"pins":"withheld"})";
  const RegimeSettings got = read(R"({"regimes": )" + text + "}");
  EXPECT_EQ(got.resolved.dump(), text);
  EXPECT_EQ(got.thresholds.pressured, mib(512));
  EXPECT_EQ(got.thresholds.queue_p95.value(), 0.02);
  EXPECT_FALSE(got.count_live_pins);
}

TEST(ReadRegimes, BadFields) {
  const Json good = parse_json(R"({"regimes": {}})");
  const test::BadField cases[] = {
      {"/regimes", "3", "/regimes", "got the integer 3; allowed: an object"},
      {"/regimes/evaporation_ratio", "1.5", "/regimes/evaporation_ratio", "got the number 1.5; allowed: a number >= 0 and <= 1 (of the KV pool)"},
      {"/regimes/evaporation_ratio", "\"x\"", "/regimes/evaporation_ratio", "got the string \"x\"; allowed: a number >= 0 and <= 1 (of the KV pool)"},
      {"/regimes/pressured_mib", "-1", "/regimes/pressured_mib", "got the integer -1; allowed: a number >= 0 and <= 1e+09 (MiB on a rank)"},
      {"/regimes/queue_p95_ms", "-0.5", "/regimes/queue_p95_ms", "got the number -0.5; allowed: a number >= 0 and <= 1e+09 (ms)"},
      {"/regimes/paging_window_s", "0", "/regimes/paging_window_s", "got the integer 0; allowed: a number > 0 and <= 1e+06 (s)"},
      {"/regimes/queue_window_s", "0", "/regimes/queue_window_s", "got the integer 0; allowed: a number > 0 and <= 1e+06 (s)"},
      {"/regimes/pins", "\"live\"", "/regimes/pins", "got the string \"live\"; allowed: all, withheld"},
      {"/regimes/queue_p99_ms", "5", "/regimes/queue_p99_ms", "got an unknown field; did you mean 'queue_p95_ms'? allowed: evaporation_ratio, pressured_mib, queue_p95_ms, paging_window_s, queue_window_s, pins"},
  };
  for (const test::BadField& bad : cases) {
    const Json json = test::with_bad_field(good, bad);
    test::expect_config_error([&] { ObjectReader in(json, ""); (void)read_regimes(in); }, bad.pointer, bad.message);
  }
}

}  // namespace
}  // namespace brink::scenario
