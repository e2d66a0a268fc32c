#include "kernels/runner/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace brink::kernels {
namespace {

TEST(KernelJson, WritesFieldsInOrderAndEscapesText) {
  JsonObject o;
  o.set("kind", "point").set("n", 3).set("big", std::uint64_t{1} << 40).set("x", 0.25).set("ok", true);
  o.set("say", "a \"b\" \\ c\n").set_null("none").set("list", std::vector<double>{1, 0.5});
  o.set("names", std::vector<std::string>{"a", "b\""}).set("inner", JsonObject().set("k", 1));
  EXPECT_EQ(o.text(),
            R"({"kind":"point","n":3,"big":1099511627776,"x":0.25,"ok":true,"say":"a \"b\" \\ c\u000a","none":null,)"
            R"("list":[1,0.5],"names":["a","b\""],"inner":{"k":1}})");
  EXPECT_TRUE(json_line_complete(o.text()));
}

TEST(KernelJson, ANumberThatIsNoneBecomesNull) {
  EXPECT_EQ(json_number(std::nan("")), "null");
  EXPECT_EQ(json_number(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(json_number(1.5e-6), "1.5e-06");
}

TEST(KernelJson, KeyNamesEveryParameter) {
  EXPECT_EQ(JsonObject().set("op", "read").set("bytes", std::uint64_t{1024}).key(), "op=read,bytes=1024");
  EXPECT_EQ(JsonObject().key(), "");
}

TEST(KernelJson, ReadsBackItsOwnTopLevelStrings) {
  const std::string line = JsonObject()
                               .set("params", JsonObject().set("key", "inner"))
                               .set("note", "\"key\":\"quoted\"")
                               .set("key", "a=\"b\",c=\\d")
                               .set("group", "hbm")
                               .text();
  EXPECT_EQ(json_string_field(line, "key"), "a=\"b\",c=\\d");
  EXPECT_EQ(json_string_field(line, "group"), "hbm");
  EXPECT_EQ(json_string_field(line, "absent"), "");
  EXPECT_EQ(json_string_field(R"({"key":"never ends)", "key"), "");
}

TEST(KernelJson, KnowsATornLine) {
  const std::string line = JsonObject().set("a", JsonObject().set("b", "}{")).set("c", std::vector<double>{1}).text();
  EXPECT_TRUE(json_line_complete(line));
  for (std::size_t size = 0; size < line.size(); ++size) {
    EXPECT_FALSE(json_line_complete(line.substr(0, size))) << size;
  }
  EXPECT_FALSE(json_line_complete(line + line));
}

}  // namespace
}  // namespace brink::kernels
