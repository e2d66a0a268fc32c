#include "sim/scenario/read_security.h"

#include <gtest/gtest.h>

#include "tests/support/config_error.h"

namespace brink::scenario {
namespace {

SecuritySettings read(const std::string& security) {
  const Json scenario = parse_json(R"({"security": )" + security + "}");
  ObjectReader in(scenario, "");
  return read_security(in);
}

TEST(read_security, shared_and_open_by_default) {
  const Json scenario = Json::object();
  ObjectReader in(scenario, "");
  EXPECT_FALSE(read_security(in).active());
  EXPECT_FALSE(read("{}").active());
  EXPECT_FALSE(read("null").active());
  EXPECT_EQ(to_json(read("{}")).dump(), R"({"isolation":"shared","confidential":false})");
}

TEST(read_security, isolation_by_name) {
  EXPECT_EQ(read(R"({"isolation": "strict"})").isolation, Isolation::strict);
  EXPECT_EQ(read(R"({"isolation": "replica"})").isolation, Isolation::replica);
  EXPECT_STREQ(name(Isolation::replica), "replica");
}

TEST(read_security, confidential_mode_has_costs) {
  const auto plain = read(R"({"confidential": true})");
  ASSERT_TRUE(plain.confidential.has_value());
  EXPECT_EQ(plain.confidential->bounce, BytesPerSecond(4.4e9));
  const auto given = read(R"({"confidential": true, "bounce_gb_per_s": 10, "copy_us": 5, "dma_remap_us": 0, "attestation_s": 30})");
  EXPECT_EQ(given.confidential->bounce, BytesPerSecond(10e9));
  EXPECT_EQ(given.confidential->attestation, Seconds(30.0));
  EXPECT_EQ(to_json(read(to_json(given).dump())).dump(), to_json(given).dump());
}

TEST(read_security, bad_fields) {
  const auto bad = [](const char* security, const char* pointer, const char* message) {
    test::expect_config_error([&] { (void)read(security); }, pointer, message);
  };
  bad("3", "/security", "got the integer 3; allowed: an object");
  bad(R"({"isolation": "stricts"})", "/security/isolation", "got the string \"stricts\"; did you mean 'strict'? allowed: shared, strict, replica");
  bad(R"({"confidential": "yes"})", "/security/confidential", "got the string \"yes\"; allowed: true or false");
  bad(R"({"copy_us": 3})", "/security/copy_us", "got the integer 3; allowed: only with confidential: true");
  bad(R"({"confidential": true, "bounce_gb_per_s": 0})", "/security/bounce_gb_per_s", "got the integer 0; allowed: a number > 0 and <= 10000 (GB/s)");
  bad(R"({"confidential": true, "attestation_s": -1})", "/security/attestation_s", "got the integer -1; allowed: a number >= 0 and <= 1e+06 (s)");
}

TEST(read_security, unknown_field_names_the_nearest) {
  EXPECT_THROW((void)read(R"({"confidental": true})"), ConfigError);
}

}  // namespace
}  // namespace brink::scenario
