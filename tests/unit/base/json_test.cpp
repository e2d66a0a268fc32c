#include "models/base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>

#include "models/base/error.h"
#include "models/base/random.h"
#include "tests/support/temp_path.h"

namespace brink {
namespace {

TEST(Json, KeepsKindsApart) {
  EXPECT_EQ(parse_json("null").kind(), Json::Kind::null);
  EXPECT_EQ(parse_json("true").kind(), Json::Kind::boolean);
  EXPECT_EQ(parse_json("3").kind(), Json::Kind::integer);
  EXPECT_EQ(parse_json("3.0").kind(), Json::Kind::number);
  EXPECT_EQ(parse_json("3e0").kind(), Json::Kind::number);
  EXPECT_EQ(parse_json("\"3\"").kind(), Json::Kind::string);
  EXPECT_EQ(parse_json("[]").kind(), Json::Kind::array);
  EXPECT_EQ(parse_json("{}").kind(), Json::Kind::object);
}

TEST(Json, IntegersAreExactToTheEdges) {
  EXPECT_EQ(parse_json("9223372036854775807").as_integer(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(parse_json("-9223372036854775808").as_integer(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(Json(std::uint64_t{42}).as_integer(), 42);
  EXPECT_THROW(Json(std::uint64_t{1} << 63U), Error);
}

TEST(Json, DumpAndParseAreInverse) {
  const std::string text =
      R"({"a":1,"b":1.0,"c":-0.0,"d":1e+300,"e":5e-324,"f":"\u00e9\"\\\n\u0001/","g":[],"h":{},"i":[true,false,null,[{"x":0.1}]]})";
  const Json first = parse_json(text);
  EXPECT_EQ(parse_json(first.dump()).dump(), first.dump());
  EXPECT_EQ(parse_json(first.dump(2)).dump(), first.dump());
  EXPECT_EQ(first.find("f")->as_string(), "\xC3\xA9\"\\\n\x01/");
  EXPECT_EQ(first.find("b")->dump(), "1.0");
  EXPECT_TRUE(std::signbit(parse_json(first.find("c")->dump()).as_double()));
}

TEST(Json, DoublesSurviveToTheLastBit) {
  const RandomStream stream(5, "doubles");
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const double value = std::ldexp(stream.uniform({i}), static_cast<int>(stream.below(2000, {i}, 1)) - 1000);
    const Json back = parse_json(Json(value).dump());
    ASSERT_EQ(back.kind(), Json::Kind::number);
    ASSERT_EQ(back.as_double(), value);
  }
}

TEST(Json, NumbersAreWrittenShortest) {
  EXPECT_EQ(Json(0.1).dump(), "0.1");
  EXPECT_EQ(Json(100.0).dump(), "100.0");
  EXPECT_EQ(Json(1e22).dump(), "1e+22");
  EXPECT_EQ(Json(1.5e-7).dump(), "1.5e-07");
  EXPECT_EQ(Json(-7).dump(), "-7");
  EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).dump(), "null");
  EXPECT_EQ(Json(std::nan("")).dump(), "null");
}

TEST(Json, IndentedTextKeepsNumberArraysOnOneLine) {
  Json j = Json::object();
  j.set("name", "x");
  j.set("values", Json::array_of(std::vector<double>{1.0, 2.5}));
  j.set("list", Json::array()).push_back("a");
  j.set("empty", Json::object());
  EXPECT_EQ(j.dump(2), "{\n  \"name\": \"x\",\n  \"values\": [1.0, 2.5],\n  \"list\": [\n    \"a\"\n  ],\n  \"empty\": {}\n}");
  EXPECT_EQ(j.dump(), R"({"name":"x","values":[1.0,2.5],"list":["a"],"empty":{}})");
}

TEST(Json, TextThatIsNotUtf8IsReplacedSoThatOutputIsJson) {
  EXPECT_EQ(Json("a\xFF").dump(), "\"a\xEF\xBF\xBD\"");
  EXPECT_EQ(parse_json(Json("a\xFF").dump()).as_string(), "a\xEF\xBF\xBD");
}

TEST(Json, SetReplacesInPlace) {
  Json j = Json::object();
  j.set("a", 1);
  j.set("b", 2);
  j.set("a", 3);
  EXPECT_EQ(j.dump(), R"({"a":3,"b":2})");
  EXPECT_EQ(j.find("c"), nullptr);
}

TEST(Json, DescribesItself) {
  EXPECT_EQ(Json().describe(), "null");
  EXPECT_EQ(Json(true).describe(), "true");
  EXPECT_EQ(Json(3).describe(), "the integer 3");
  EXPECT_EQ(Json(2.5).describe(), "the number 2.5");
  EXPECT_EQ(Json("a\n").describe(), R"(the string "a\n")");
  EXPECT_EQ(Json::array().describe(), "an empty array");
  EXPECT_EQ(parse_json("[1]").describe(), "an array");
  EXPECT_EQ(Json::object().describe(), "an empty object");
  EXPECT_EQ(parse_json(R"({"a":1})").describe(), "an object");
  EXPECT_EQ(Json(std::string(100, 'x')).describe(), "the string \"" + std::string(60, 'x') + "\"... (100 bytes)");
  // The cut never splits a character.
  std::string accents(59, 'x');
  accents += "\xC3\xA9\xC3\xA9";
  EXPECT_EQ(Json(accents).describe(), "the string \"" + std::string(59, 'x') + "\"... (63 bytes)");
}

TEST(ParseJson, KeepsMemberOrderOfLargeObjects) {
  std::string text = "{";
  for (int i = 0; i < 1000; ++i) text += (i > 0 ? ",\"k" : "\"k") + std::to_string(999 - i) + "\":" + std::to_string(i);
  const Json j = parse_json(text + "}");
  ASSERT_EQ(j.members().size(), 1000U);
  for (std::size_t i = 0; i < 1000; ++i) EXPECT_EQ(j.members()[i].first, "k" + std::to_string(999 - i));
}

TEST(ParseJson, LimitsAreInclusive) {
  JsonLimits limits;
  limits.depth_max = 3;
  EXPECT_NO_THROW(parse_json("[[[1]]]", "", limits));
  EXPECT_THROW(parse_json("[[[[]]]]", "", limits), ConfigError);
  limits.bytes_max = 7;
  EXPECT_NO_THROW(parse_json("[[[1]]]", "", limits));
  EXPECT_THROW(parse_json("[[[1]]] ", "", limits), ConfigError);
  limits.values_max = 4;
  EXPECT_NO_THROW(parse_json("[[[1]]]", "", limits));
  limits.values_max = 3;
  EXPECT_THROW(parse_json("[[[1]]]", "", limits), ConfigError);
}

TEST(ParseJson, DeepNestingIsRefusedWithoutRecursion) {
  EXPECT_THROW(parse_json(std::string(5'000'000, '[')), ConfigError);
}

class LoadJson : public testing::Test {
 protected:
  test::TempPath file_{"load_json_test.json"};
  const std::string& path_ = file_.str();
};

TEST_F(LoadJson, ReadsAFile) {
  std::ofstream(path_) << R"({"a": [1, 2]})";
  EXPECT_EQ(load_json(path_).dump(), R"({"a":[1,2]})");
}

TEST_F(LoadJson, NamesTheFileInErrors) {
  std::ofstream(path_) << "{\"a\": 1,\n \"a\": 2}";
  try {
    (void)load_json(path_);
    FAIL() << "a duplicate key was accepted";
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.file(), path_);
    EXPECT_EQ(error.pointer(), "/a");
  }
}

TEST_F(LoadJson, RefusesWhatIsNoFile) {
  const auto got = [](const std::string& path, const JsonLimits& limits = {}) -> std::string {
    try {
      (void)load_json(path, limits);
    } catch (const ConfigError& error) {
      return error.pointer() + "|" + error.got();
    }
    return "accepted";
  };
  EXPECT_EQ(got(path_ + ".absent"), "|no such file");
  EXPECT_EQ(got(testing::TempDir()), "|a folder");
  std::ofstream(path_) << "[1, 2, 3]";
  EXPECT_EQ(got(path_, {.bytes_max = 8}), "|more than 8 bytes");
}

}  // namespace
}  // namespace brink
