// Two whole runs against results that were kept. A change of the simulator that changes them
// is either a mistake or belongs in CHANGELOG.md under "Changed results"; then
//   BRINK_UPDATE_GOLDEN=1 ctest --test-dir build/release -L golden
// writes the new ones. The profile here is made of round figures, so that a new calibration
// changes nothing.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "models/base/sha256.h"
#include "tests/support/engine_process.h"

namespace brink::test {
namespace {

namespace fs = std::filesystem;

const std::string folder = std::string(BRINK_SOURCE_DIR) + "/tests/golden";

std::string run_into_temporary(const std::string& name) {
  const std::string out = testing::TempDir() + "golden_" + name + "_" + std::to_string(::getpid());
  fs::remove_all(out);
  const CommandResult done = run_command("run " + folder + "/" + name + ".json -o " + out);
  EXPECT_EQ(done.status, 0) << done.text;
  return out;
}

/// The summary without its provenance (which names compiler and revision), and the hashes of the
/// tables beside it.
std::string comparable(const std::string& out) {
  Json summary = load_json(out + "/summary.json");
  std::erase_if(summary.members(), [](const Json::Member& m) { return m.first == "provenance"; });
  Json& tables = summary.set("tables_sha256", Json::object());
  for (const char* name : {"requests.csv", "timeseries.csv", "scenario.json"}) tables.set(name, sha256_of_file(out + "/" + name));
  return summary.dump(2) + "\n";
}

class Golden : public testing::TestWithParam<const char*> {};

TEST_P(Golden, GivesTheKeptResult) {
  const std::string out = run_into_temporary(GetParam());
  const std::string got = comparable(out);
  const std::string kept = folder + "/" + GetParam() + ".expected.json";
  const char* update = std::getenv("BRINK_UPDATE_GOLDEN");
  if (update != nullptr && std::string(update) == "1") std::ofstream(kept) << got;
  EXPECT_EQ(got, read_text(kept));
  fs::remove_all(out);
}

/// What must hold whatever the kept figures say.
TEST_P(Golden, KeepsTheLaws) {
  const std::string out = run_into_temporary(GetParam());
  const Json summary = load_json(out + "/summary.json");
  std::istringstream rows(read_text(out + "/requests.csv"));
  std::string line;
  std::getline(rows, line);
  std::int64_t count = 0, completed = 0;
  while (std::getline(rows, line)) {
    std::vector<double> at;
    std::istringstream fields(line);
    std::string field, outcome;
    for (int i = 0; std::getline(fields, field, ','); ++i) {
      if (i >= 1 && i <= 6) at.push_back(std::stod(field));
      if (i == 11) outcome = field;
    }
    ++count;
    completed += outcome == "completed" ? 1 : 0;
    EXPECT_TRUE(std::is_sorted(at.begin(), at.end())) << "arrival <= sent <= queued <= scheduled <= first token <= finish: " << line;
  }
  const std::int64_t warmup = summary.find("warmup_requests")->as_integer();
  EXPECT_EQ(count, summary.find("num_prompts")->as_integer() + warmup) << "every request ends once";
  EXPECT_EQ(completed, summary.find("completed")->as_integer() + warmup);
  EXPECT_LE(summary.find("kv_cache_usage_max")->as_double(), 1.0);
  for (const Json& busy : summary.find("gpu_busy_fraction")->items()) EXPECT_LE(busy.as_double(), 1.0 + 1e-9);
  fs::remove_all(out);
}

INSTANTIATE_TEST_SUITE_P(Runs, Golden, testing::Values("open_70b", "closed_7b"));

}  // namespace
}  // namespace brink::test
