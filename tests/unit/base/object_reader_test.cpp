#include "models/base/object_reader.h"

#include <gtest/gtest.h>

namespace brink {
namespace {

TEST(ObjectReader, ReadsEveryKind) {
  const Json j = parse_json(
      R"({"n": 2.5, "i": 7, "whole": 3, "b": true, "s": "x", "o": {"p": 1}, "v": [1, 2.5], "c": "fcfs", "z": null})");
  ObjectReader reader(j, "/engine");
  EXPECT_EQ(reader.number("n"), 2.5);
  EXPECT_EQ(reader.integer("i", Range::at_least(7)), 7);
  EXPECT_EQ(reader.number("whole", Range::positive()), 3.0);
  EXPECT_TRUE(reader.boolean("b"));
  EXPECT_EQ(reader.string("s"), "x");
  EXPECT_EQ(reader.object("o").integer("p"), 1);
  EXPECT_EQ(reader.object("o").pointer(), "/engine/o");
  EXPECT_EQ(reader.numbers("v"), (std::vector<double>{1.0, 2.5}));
  EXPECT_EQ(reader.choice("c", {"fcfs", "priority"}), "fcfs");
  EXPECT_FALSE(reader.has("z"));
  EXPECT_NO_THROW(reader.finish());
}

TEST(ObjectReader, AbsentAndNullGiveTheFallback) {
  const Json j = parse_json(R"({"n": null, "given": 4})");
  ObjectReader reader(j, "");
  EXPECT_EQ(reader.number_or("n", 1.5), 1.5);
  EXPECT_EQ(reader.integer_or("absent", 9), 9);
  EXPECT_EQ(reader.integer_or("given", 9), 4);
  EXPECT_TRUE(reader.boolean_or("absent2", true));
  EXPECT_EQ(reader.string_or("absent3", "d"), "d");
  EXPECT_EQ(reader.choice_or("absent4", {"a"}, "b"), "b");
  EXPECT_NO_THROW(reader.finish());
}

TEST(ObjectReader, EachVisitsItemsWithTheirPointer) {
  const Json j = parse_json(R"({"list": [5, "x"]})");
  ObjectReader reader(j, "/a");
  std::vector<std::string> seen;
  reader.each("list", [&](const Json& item, const std::string& at) { seen.push_back(at + "=" + item.dump()); });
  reader.each("absent", [&](const Json&, const std::string&) { FAIL(); });
  EXPECT_EQ(seen, (std::vector<std::string>{"/a/list/0=5", "/a/list/1=\"x\""}));
}

TEST(ObjectReader, UnknownFieldsCanBeAllowed) {
  const Json j = parse_json(R"({"foreign": 1, "used": 2})");
  ObjectReader reader(j, "");
  reader.integer("used");
  EXPECT_THROW(reader.finish(), ConfigError);
  reader.ignore("foreign");
  EXPECT_NO_THROW(reader.finish());
  ObjectReader open(j, "");
  open.allow_unknown();
  EXPECT_NO_THROW(open.finish());
}

TEST(ObjectReader, RangesHoldTheirEnds) {
  const Json zero = parse_json("0");
  const Json one = parse_json("1");
  EXPECT_NO_THROW(checked_number(zero, "", Range::between(0, 1)));
  EXPECT_NO_THROW(checked_number(one, "", Range::between(0, 1)));
  EXPECT_THROW(checked_number(zero, "", Range::positive()), ConfigError);
  EXPECT_NO_THROW(checked_number(zero, "", Range::at_least(0)));
}

}  // namespace
}  // namespace brink
