#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include <unistd.h>

#include "models/base/error.h"
#include "support.h"

namespace brink::telemetry {
namespace {

namespace fs = std::filesystem;

class ResultFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("brink_results_" + std::to_string(::getpid()));
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  [[nodiscard]] std::string at(const std::string& name) const { return (root_ / name).string(); }
  static std::string read(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }
  /// Names in the folder that results are written beside.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(root_)) out.push_back(entry.path().filename().string());
    return out;
  }

  fs::path root_;
};

TEST_F(ResultFolder, IsWrittenWhole) {
  write_results(at("out"), {{"summary.json", "{}"}, {"a.csv", "x\n"}});
  EXPECT_EQ(read(at("out/summary.json")), "{}");
  EXPECT_EQ(read(at("out/a.csv")), "x\n");
  EXPECT_THAT(names(), ::testing::ElementsAre("out"));
}

TEST_F(ResultFolder, MakesItsParents) {
  write_results(at("a/b/out/"), {{"summary.json", "{}"}});
  EXPECT_EQ(read(at("a/b/out/summary.json")), "{}");
}

TEST_F(ResultFolder, ReplacesAnOldResultAsAWhole) {
  write_results(at("out"), {{"summary.json", "old"}, {"old.csv", "x"}});
  write_results(at("out"), {{"summary.json", "new"}});
  EXPECT_EQ(read(at("out/summary.json")), "new");
  EXPECT_FALSE(fs::exists(at("out/old.csv")));
  EXPECT_THAT(names(), ::testing::ElementsAre("out"));
}

TEST_F(ResultFolder, FillsAnEmptyFolder) {
  fs::create_directories(at("out"));
  write_results(at("out"), {{"summary.json", "new"}});
  EXPECT_EQ(read(at("out/summary.json")), "new");
}

TEST_F(ResultFolder, NeverReplacesAnythingElse) {
  fs::create_directories(at("home"));
  std::ofstream(at("home/thesis.tex")) << "precious";
  std::ofstream(at("file")) << "precious";
  fs::create_directory_symlink(at("home"), at("link"));
  const std::pair<const char*, const char*> cases[] = {
      {"home", "is not a result folder"}, {"file", "is not a folder"}, {"link", "is not a folder"}};
  for (const auto& [name, message] : cases) {
    try {
      write_results(at(name), {{"summary.json", "{}"}});
      FAIL() << name;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr(message));
    }
  }
  EXPECT_EQ(read(at("home/thesis.tex")), "precious");
  EXPECT_EQ(read(at("file")), "precious");
  EXPECT_THAT(names(), ::testing::UnorderedElementsAre("home", "file", "link"));
}

TEST_F(ResultFolder, LeavesTheOldResultWhenTheNewOneFails) {
  write_results(at("out"), {{"summary.json", "old"}});
  for (const char* name : {"", "..", "a/b", "../escape"}) {
    EXPECT_THROW(write_results(at("out"), {{"summary.json", "new"}, {name, "x"}}), Error) << name;
  }
  EXPECT_THROW(write_results(at("out"), {{"same", "x"}, {"same", "y"}}), Error);
  EXPECT_EQ(read(at("out/summary.json")), "old");
  EXPECT_THAT(names(), ::testing::ElementsAre("out"));
}

TEST_F(ResultFolder, NeedsAPlace) {
  EXPECT_THROW(write_results("", {}), Error);
  std::ofstream(at("file")) << "x";
  EXPECT_THROW(write_results(at("file/out"), {{"summary.json", "{}"}}), Error);
}

}  // namespace
}  // namespace brink::telemetry
