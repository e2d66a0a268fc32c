#include "models/base/error.h"

#include <gtest/gtest.h>

namespace brink {
namespace {

TEST(ConfigError, SaysWhereWhatAndWhatIsAllowed) {
  const ConfigError error("/engine/block_size", "the integer 0", "allowed: an integer >= 1", "a.json");
  EXPECT_STREQ(error.what(), "a.json: /engine/block_size: got the integer 0; allowed: an integer >= 1");
  EXPECT_EQ(error.pointer(), "/engine/block_size");
  EXPECT_EQ(error.got(), "the integer 0");
  EXPECT_EQ(error.allowed(), "allowed: an integer >= 1");
  EXPECT_EQ(error.file(), "a.json");
}

TEST(ConfigError, RootPointerIsSpelledOut) {
  EXPECT_STREQ(ConfigError("", "an array", "allowed: an object").what(), "(whole file): got an array; allowed: an object");
  EXPECT_STREQ(ConfigError("/a", "nothing", "").what(), "/a: got nothing");
}

TEST(ConfigError, InFileKeepsTheInnermostFile) {
  const ConfigError bare("/a", "null", "allowed: a string");
  EXPECT_EQ(bare.in_file("x.json").file(), "x.json");
  EXPECT_EQ(bare.in_file("x.json").in_file("y.json").file(), "x.json");
  EXPECT_STREQ(bare.in_file("x.json").what(), "x.json: /a: got null; allowed: a string");
}

TEST(TraceError, NamesFileAndLine) {
  EXPECT_STREQ(TraceError("t.csv", 7, "two columns").what(), "t.csv:7: two columns");
}

TEST(NearestName, FindsTypingErrors) {
  const std::vector<std::string> names = {"max_num_seqs", "max_num_batched_tokens", "block_size"};
  EXPECT_EQ(nearest_name("max_num_seq", names), "max_num_seqs");
  EXPECT_EQ(nearest_name("blocksize", names), "block_size");
  EXPECT_EQ(nearest_name("block_size", names), "block_size");
  EXPECT_EQ(nearest_name("temperature", names), "");
  EXPECT_EQ(nearest_name("", names), "");
  EXPECT_EQ(nearest_name("x", {}), "");
}

TEST(NearestName, KeepsToAThirdOfTheLongerName) {
  EXPECT_EQ(nearest_name("abcdef", {"abcdxy"}), "abcdxy");  // 2 of 6 differ
  EXPECT_EQ(nearest_name("abcdef", {"abcxyz"}), "");        // 3 of 6 differ
  EXPECT_EQ(nearest_name("aa", {"ab", "aa"}), "aa");        // the exact one wins
  EXPECT_EQ(nearest_name("plane", {"plain", "azure-llm"}), "plain");
  EXPECT_EQ(nearest_name("azur", {"plain", "azure-llm"}), "azure-llm");  // its beginning
  EXPECT_EQ(nearest_name("ab", {"abcdefgh"}), "");          // too short a beginning
}

TEST(NearestName, GivesUpOnHugeNames) {
  EXPECT_EQ(nearest_name(std::string(1'000'000, 'a'), {std::string(1'000'000, 'a')}), "");
}

TEST(AllowedNames, SuggestsFirst) {
  EXPECT_EQ(allowed_names("fcsf", {"fcfs", "priority"}), "allowed: fcfs, priority");
  EXPECT_EQ(allowed_names("prioritty", {"fcfs", "priority"}), "did you mean 'priority'? allowed: fcfs, priority");
}

}  // namespace
}  // namespace brink
