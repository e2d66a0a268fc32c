#include <gtest/gtest.h>

#include "models/base/error.h"
#include "models/base/json.h"

namespace brink {
namespace {

TEST(JsonPointer, JoinEscapes) {
  EXPECT_EQ(join_pointer("/a", "b/c"), "/a/b~1c");
  EXPECT_EQ(join_pointer("", "~"), "/~0");
  EXPECT_EQ(join_pointer("/a", std::size_t{3}), "/a/3");
}

// The examples of RFC 6901, section 5.
TEST(JsonPointer, RfcExamples) {
  const Json j = parse_json(
      R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8})");
  EXPECT_EQ(at_pointer(j, ""), &j);
  EXPECT_EQ(at_pointer(j, "/foo")->items().size(), 2U);
  EXPECT_EQ(at_pointer(j, "/foo/0")->as_string(), "bar");
  EXPECT_EQ(at_pointer(j, "/")->as_integer(), 0);
  EXPECT_EQ(at_pointer(j, "/a~1b")->as_integer(), 1);
  EXPECT_EQ(at_pointer(j, "/c%d")->as_integer(), 2);
  EXPECT_EQ(at_pointer(j, "/i\\j")->as_integer(), 5);
  EXPECT_EQ(at_pointer(j, "/k\"l")->as_integer(), 6);
  EXPECT_EQ(at_pointer(j, "/ ")->as_integer(), 7);
  EXPECT_EQ(at_pointer(j, "/m~0n")->as_integer(), 8);
}

TEST(JsonPointer, AbsentIsNull) {
  const Json j = parse_json(R"({"a":[1],"b":2})");
  for (const char* pointer : {"/c", "/a/1", "/a/-", "/a/00", "/a/+0", "/a/x", "/b/c", "a", "/~", "/~2"}) {
    EXPECT_EQ(at_pointer(j, pointer), nullptr) << pointer;
  }
}

TEST(JsonPointer, SetCreatesReplacesAndAppends) {
  Json j;
  set_at_pointer(j, "/engine/max_num_seqs", 128);
  set_at_pointer(j, "/engine/max_num_seqs", 256);
  set_at_pointer(j, "/conditions", Json::array());
  set_at_pointer(j, "/conditions/-", 1);
  set_at_pointer(j, "/conditions/-/kind", "slow");
  set_at_pointer(j, "/conditions/0", 2);
  EXPECT_EQ(j.dump(), R"({"engine":{"max_num_seqs":256},"conditions":[2,{"kind":"slow"}]})");
  set_at_pointer(j, "", true);
  EXPECT_EQ(j.dump(), "true");
}

TEST(ApplySetting, ValueIsJsonElseAString) {
  Json j = Json::object();
  apply_setting(j, "/a=3");
  apply_setting(j, "/b=3.5");
  apply_setting(j, "/c=llama");
  apply_setting(j, "/d=");
  apply_setting(j, "/e=[1,{\"x\":null}]");
  apply_setting(j, "/f=\"3\"");
  apply_setting(j, "/g=x=y");
  apply_setting(j, "/h=007");
  EXPECT_EQ(j.dump(), R"({"a":3,"b":3.5,"c":"llama","d":"","e":[1,{"x":null}],"f":"3","g":"x=y","h":"007"})");
}

}  // namespace
}  // namespace brink
