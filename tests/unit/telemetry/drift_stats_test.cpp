#include "sim/telemetry/drift_stats.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/base/random.h"
#include "models/drift/divergence.h"

namespace brink::telemetry {
namespace {

const drift::FlipLaw law;

serving::DriftOutcome outcome(std::int64_t tokens, std::int64_t exposed, double pairwise = 0.0) {
  serving::DriftOutcome out;
  out.exposed_tokens = exposed;
  out.from_idle = drift::divergence(law.hazard(), exposed);
  out.pairwise = pairwise;
  if (exposed > 0) out.first_flip = static_cast<double>(tokens - exposed) + drift::first_flip(law.hazard(), exposed);
  return out;
}

serving::RequestRecord record(std::int64_t tokens, std::int64_t exposed, double e2e = 1.0) {
  serving::RequestRecord r;
  r.arrival = r.sent = Seconds(10.0);
  r.first_token = Seconds(10.0 + e2e / 2.0);
  r.finish = Seconds(10.0 + e2e);
  r.output_tokens = tokens;
  r.drift = outcome(tokens, exposed, 0.01);
  return r;
}

double number(const Json& json, const std::string& pointer) {
  const Json* found = at_pointer(json, pointer);
  if (found == nullptr || !found->is_number()) {
    ADD_FAILURE() << "no number at " << pointer << " of " << json.dump();
    return std::nan("");
  }
  return found->as_double();
}

TEST(drift_stats, means_and_errors) {
  DriftStats stats(Seconds(0.0), {law, {}});
  stats.add(record(100, 0));
  stats.add(record(300, 300));
  const Json json = stats.json();
  const double p = drift::divergence(law.hazard(), 300);
  EXPECT_EQ(number(json, "/requests"), 2.0);
  EXPECT_DOUBLE_EQ(number(json, "/divergence_from_idle"), p / 2.0);
  EXPECT_NEAR(number(json, "/divergence_from_idle_se"), p / 2.0, 1e-12) << "of 0 and p: half their distance";
  EXPECT_DOUBLE_EQ(number(json, "/divergence_pairwise"), 0.01);
  EXPECT_NEAR(number(json, "/divergence_pairwise_se"), 0.0, 1e-9);
  EXPECT_DOUBLE_EQ(number(json, "/exposed_token_share"), 0.75);
  EXPECT_DOUBLE_EQ(number(json, "/first_flip_token"), drift::first_flip(law.hazard(), 300)) << "of those that flip";
  EXPECT_DOUBLE_EQ(number(json, "/law/hazard_per_token"), law.hazard());
}

TEST(drift_stats, nothing_is_null) {
  const Json json = DriftStats(Seconds(0.0), {law, {}}).json();
  EXPECT_EQ(number(json, "/requests"), 0.0);
  for (const char* at : {"/divergence_from_idle", "/divergence_from_idle_se", "/exposed_token_share", "/first_flip_token",
                         "/tail/ratio_from_idle", "/different_input/divergence_pairwise"}) {
    ASSERT_NE(at_pointer(json, at), nullptr) << at;
    EXPECT_TRUE(at_pointer(json, at)->is_null()) << at;
  }
}

TEST(drift_stats, leaves_out_warm_up_and_the_uncompleted) {
  DriftStats stats(Seconds(10.5), {law, {}});
  stats.add(record(100, 50));
  serving::RequestRecord later = record(100, 50);
  later.arrival = Seconds(11.0);
  later.outcome = serving::Outcome::cancelled;
  stats.add(later);
  EXPECT_EQ(number(stats.json(), "/requests"), 0.0);
  later.outcome = serving::Outcome::completed;
  stats.add(later);
  EXPECT_EQ(number(stats.json(), "/requests"), 1.0);
}

TEST(drift_stats, different_input_is_counted_apart) {
  DriftStats stats(Seconds(0.0), {law, {}});
  serving::RequestRecord cut = record(100, 100);
  cut.truncated = true;
  stats.add(cut);
  stats.add(record(100, 0));
  const Json json = stats.json();
  EXPECT_EQ(number(json, "/requests"), 1.0);
  EXPECT_EQ(number(json, "/divergence_from_idle"), 0.0);
  EXPECT_EQ(number(json, "/different_input/requests"), 1.0);
  EXPECT_EQ(number(json, "/different_input/exposed_token_share"), 1.0);
}

TEST(drift_stats, regimes_count_each_predicate_that_held) {
  DriftStats stats(Seconds(0.0), {law, {}});
  serving::RequestRecord r = record(100, 40);
  stats.add(r);
  r.regime_bits = (1U << static_cast<unsigned>(memory::Regime::paging)) | (1U << static_cast<unsigned>(memory::Regime::queue_degraded));
  r.drift = outcome(100, 100);
  stats.add(r);
  const Json json = stats.json();
  const std::string at = "/by_regime/";
  EXPECT_EQ(number(json, at + memory::name(memory::Regime::normal) + "/exposed_token_share"), 0.4);
  EXPECT_EQ(number(json, at + memory::name(memory::Regime::paging) + "/exposed_token_share"), 1.0);
  EXPECT_EQ(number(json, at + memory::name(memory::Regime::queue_degraded) + "/requests"), 1.0);
  EXPECT_EQ(at_pointer(json, "/by_regime")->members().size(), 3U);
}

TEST(drift_stats, switches_and_lengths_in_powers_of_two) {
  DriftStats stats(Seconds(0.0), {law, {}});
  for (const std::int64_t switches : {0, 1, 2, 3, 4, 5, 1'000'000}) {
    serving::RequestRecord r = record(100 + switches % 7, 10);
    r.plan_switches = switches;
    stats.add(r);
  }
  const Json json = stats.json();
  const auto& by_switches = at_pointer(json, "/by_plan_switches")->items();
  ASSERT_EQ(by_switches.size(), 6U);
  EXPECT_EQ(number(by_switches[0], "/switches_to"), 0.0);
  EXPECT_EQ(number(by_switches[3], "/switches_from"), 3.0);
  EXPECT_EQ(number(by_switches[3], "/switches_to"), 4.0);
  EXPECT_EQ(number(by_switches[3], "/requests"), 2.0);
  EXPECT_EQ(number(by_switches[5], "/switches_to"), 1'048'576.0);
  ASSERT_EQ(at_pointer(json, "/by_output_tokens")->items().size(), 1U);
  EXPECT_EQ(number(json, "/by_output_tokens/0/output_tokens_from"), 65.0);
  EXPECT_EQ(number(json, "/by_output_tokens/0/output_tokens_to"), 128.0);
}

// First flips by token, added up token by token.
TEST(drift_stats, positions_are_the_first_flips) {
  DriftStats stats(Seconds(0.0), {law, {}});
  std::vector<double> flips(400, 0.0), exposed(400, 0.0), tokens(400, 0.0);
  for (const auto& [length, out] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {2, 0}, {90, 33}, {300, 300}, {257, 256}}) {
    stats.add(record(length, out));
    double kept = 1.0;
    for (std::int64_t t = 1; t <= length; ++t) {
      const auto i = static_cast<std::size_t>(t);
      tokens[i] += 1.0;
      if (t <= length - out) continue;
      exposed[i] += 1.0;
      flips[i] += kept * law.hazard();
      kept *= 1.0 - law.hazard();
    }
  }
  const Json json = stats.json();
  double all = 0.0;
  for (const Json& item : at_pointer(json, "/by_token")->items()) {
    double want_flips = 0.0, want_exposed = 0.0, want_tokens = 0.0;
    for (auto t = static_cast<std::size_t>(number(item, "/token_from")); t <= static_cast<std::size_t>(number(item, "/token_to")) && t < 400; ++t) {
      want_flips += flips[t];
      want_exposed += exposed[t];
      want_tokens += tokens[t];
    }
    EXPECT_EQ(number(item, "/tokens"), want_tokens);
    EXPECT_DOUBLE_EQ(number(item, "/exposed_share"), want_exposed / want_tokens);
    EXPECT_NEAR(number(item, "/first_flips"), want_flips, 1e-14);
    all += number(item, "/first_flips");
  }
  EXPECT_NEAR(all, number(json, "/divergence_from_idle") * 5.0, 1e-13) << "every flip is somewhere";
}

TEST(drift_tail, compares_within_a_length) {
  // Long answers take longer and drift more; within a length slow and fast drift alike.
  DriftStats stats(Seconds(0.0), {law, {}});
  const RandomStream random(3, "tail");
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const std::int64_t tokens = i % 2 == 0 ? 100 : 1000;
    stats.add(record(tokens, tokens, static_cast<double>(tokens) * 0.01 * (1.0 + random.uniform({i}))));
  }
  EXPECT_NEAR(number(stats.json(), "/tail/ratio_from_idle"), 1.0, 1e-9);
  EXPECT_EQ(at_pointer(stats.json(), "/tail/by_output_tokens")->items().size(), 2U);
}

TEST(drift_tail, finds_the_slow_ones_that_drift) {
  DriftStats stats(Seconds(0.0), {law, {}});
  for (int i = 0; i < 10'000; ++i) {
    const bool slow = i % 100 == 0;
    stats.add(record(200, slow ? 200 : 50, slow ? 40.0 : 4.0 + i * 1e-4));
  }
  const Json json = stats.json();
  const double slow = drift::divergence(law.hazard(), 200), usual = drift::divergence(law.hazard(), 50);
  EXPECT_NEAR(number(json, "/tail/slowest_1_percent/divergence_from_idle"), slow, 1e-12);
  EXPECT_NEAR(number(json, "/tail/median_10_percent/divergence_from_idle"), usual, 1e-12);
  EXPECT_NEAR(number(json, "/tail/ratio_from_idle"), slow / usual, 1e-9);
  EXPECT_EQ(number(json, "/tail/by_output_tokens/0/output_tokens_from"), 128.0);
  EXPECT_EQ(number(json, "/tail/by_output_tokens/0/output_tokens_to"), 255.0);
  EXPECT_EQ(number(json, "/tail/requests"), 10'000.0);
}

TEST(drift_early, spends_the_budget_of_its_tenant) {
  DriftStats stats(Seconds(0.0), {law, {32, 1e-3}});
  serving::RequestRecord r = record(100, 90);  // from the 11th token on
  stats.add(r);
  r.tenant = 3;
  r.drift = outcome(100, 60);  // after the early tokens
  stats.add(r);
  r.drift = outcome(100, 100);
  stats.add(r);
  r.output_tokens = 20;
  r.drift = outcome(20, 20);
  stats.add(r);
  const Json json = stats.json();
  ASSERT_EQ(at_pointer(json, "/early/tenants")->items().size(), 2U);
  const double flips_22 = drift::divergence(law.hazard(), 22);
  EXPECT_EQ(number(json, "/early/tenants/0/exposed_tokens"), 22.0);
  EXPECT_DOUBLE_EQ(number(json, "/early/tenants/0/flip_probability"), flips_22);
  EXPECT_DOUBLE_EQ(number(json, "/early/tenants/0/share_of_budget"), flips_22 / 1e-3);
  EXPECT_DOUBLE_EQ(number(json, "/early/tenants/0/margin_moved_nats"), 22.0 * law.changed_share * 0.063);
  EXPECT_EQ(number(json, "/early/tenants/1/tenant"), 3.0);
  EXPECT_DOUBLE_EQ(number(json, "/early/tenants/1/exposed_tokens"), (0.0 + 32.0 + 20.0) / 3.0);
  EXPECT_EQ(number(json, "/early/tenants/1/requests_over_budget"), 2.0);
}

}  // namespace
}  // namespace brink::telemetry
