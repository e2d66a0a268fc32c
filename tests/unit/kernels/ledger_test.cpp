#include "kernels/runner/ledger.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "kernels/runner/json.h"
#include "tests/support/temp_path.h"

namespace brink::kernels {
namespace {

std::string line(const char* kind, const char* group, const char* key) {
  return JsonObject().set("kind", kind).set("group", group).set("key", key).text();
}

class KernelLedger : public testing::Test {
 protected:
  std::string contents() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void write(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }

  test::TempPath file_{"ledger_of_a_test"};
  const std::string& path_ = file_.str();
};

TEST_F(KernelLedger, ANewRunRefusesAFileWithResults) {
  write(line("header", "", "") + "\n");
  EXPECT_THROW(Ledger(path_, false), std::runtime_error);
  EXPECT_NO_THROW(Ledger(path_, true));
}

TEST_F(KernelLedger, ResumesAfterEveryPossibleKill) {
  const std::string first = line("point", "hbm", "op=read,bytes=1") + "\n";
  const std::string second = line("point", "hbm", "op=read,bytes=2") + "\n";
  for (std::size_t size = 0; size <= second.size(); ++size) {
    write(first + second.substr(0, size));
    {
      Ledger ledger(path_, true);
      EXPECT_TRUE(ledger.holds("hbm", "op=read,bytes=1"));
      EXPECT_EQ(ledger.holds("hbm", "op=read,bytes=2"), size == second.size());
      if (!ledger.holds("hbm", "op=read,bytes=2")) ledger.append(line("point", "hbm", "op=read,bytes=2"));
    }
    EXPECT_EQ(contents(), first + second) << "killed after " << size << " bytes of the line";
  }
}

TEST_F(KernelLedger, AppendedPointsCountAtOnce) {
  Ledger ledger(path_, false);
  EXPECT_FALSE(ledger.holds("l2", "a=1"));
  ledger.append(line("point", "l2", "a=1"));
  ledger.append(line("note", "l2", "a=2"));
  EXPECT_TRUE(ledger.holds("l2", "a=1"));
  EXPECT_FALSE(ledger.holds("l2", "a=2"));  // a note is no point
  EXPECT_FALSE(ledger.holds("tlb", "a=1"));
}

TEST_F(KernelLedger, SkippedAndFailedPointsAreDone) {
  write(line("skipped", "g", "a") + "\n" + line("failed", "g", "b") + "\n" + line("end", "g", "c") + "\n");
  const Ledger ledger(path_, true);
  EXPECT_TRUE(ledger.holds("g", "a"));
  EXPECT_TRUE(ledger.holds("g", "b"));
  EXPECT_FALSE(ledger.holds("g", "c"));
}

TEST_F(KernelLedger, OldFailuresCanBeForgottenNewOnesNot) {
  write(line("failed", "g", "old") + "\n");
  const long size = Ledger(path_, true).bytes();
  Ledger(path_, true, size).append(line("failed", "g", "new"));
  const Ledger again(path_, true, size);  // a worker that starts again within the same run
  EXPECT_FALSE(again.holds("g", "old"));
  EXPECT_TRUE(again.holds("g", "new"));
}

TEST_F(KernelLedger, RemembersTheGpuOfTheLastHeader) {
  write(JsonObject().set("kind", "header").set("gpu", "NVIDIA H100").text() + "\n" + line("point", "g", "a") + "\n");
  EXPECT_EQ(Ledger(path_, true).previous_gpu(), "NVIDIA H100");
}

TEST_F(KernelLedger, StopsAtItsLimit) {
  write(std::string(static_cast<std::size_t>(Ledger::bytes_max) - 10, 'x') + "\n");
  Ledger ledger(path_, true);
  EXPECT_THROW(ledger.append(line("point", "g", "a")), std::runtime_error);
}

TEST_F(KernelLedger, NamesTheFileItCannotOpen) {
  try {
    const Ledger ledger("/no/such/folder/results.jsonl", false);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("/no/such/folder/results.jsonl"), std::string::npos);
  }
}

}  // namespace
}  // namespace brink::kernels
