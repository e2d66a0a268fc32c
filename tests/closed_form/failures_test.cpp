// A node killed in the middle of a run of a whole scenario: what was written before the instant is the same to the byte,
// and every request is in exactly one terminal state.
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "sim/scenario/simulation.h"
#include "tests/support/forked.h"

namespace brink::testing {
namespace {

const std::string configs = std::string(BRINK_SOURCE_DIR) + "/configs";
constexpr double killed_at = 21.0;

Json scenario(const std::string& conditions) {
  Json out = load_json(configs + "/scenarios/azure_replay.json");
  set_at_pointer(out, "/model", Json("../models/llama-3.1-8b.json"));
  set_at_pointer(out, "/engine", parse_json(R"({"tensor_parallel_size": 4, "data_parallel_size": 4})"));
  set_at_pointer(out, "/observe", parse_json(R"({"drift": false})"));
  set_at_pointer(out, "/output", parse_json(R"({"requests": true, "steps": true, "timeseries": false})"));
  set_at_pointer(out, "/workload", parse_json(R"({"arrivals": {"kind": "poisson", "rate_per_s": 40}, "num_requests": 1500,
    "input_tokens": {"kind": "uniform", "low": 100, "high": 3000}, "output_tokens": {"kind": "uniform", "low": 1, "high": 600}})"));
  set_at_pointer(out, "/conditions", parse_json(conditions));
  return out;
}

std::map<std::string, std::string> files(const std::string& conditions) {
  const scenario::Scenario s = scenario::read_scenario(scenario(conditions), configs + "/scenarios");
  std::map<std::string, std::string> out;
  for (telemetry::ResultFile& file : scenario::run_scenario(s).files) out[file.name] = std::move(file.content);
  return out;
}

std::vector<std::string> lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::string cell(const std::string& row, std::size_t column) {
  std::istringstream in(row);
  std::string out;
  for (std::size_t i = 0; i <= column; ++i) std::getline(in, out, ',');
  return out;
}

double number_after(const std::string& line, const std::string& key) { return std::stod(line.substr(line.find(key) + key.size())); }

constexpr std::size_t finish_column = 6, outcome_column = 11;

/// Runs in a child that has run nothing else: files as text of one of two runs.
std::vector<double> as_numbers(const std::string& text) { return {text.begin(), text.end()}; }
std::string as_text(const std::vector<double>& numbers) {
  std::string out;
  for (const double n : numbers) out.push_back(static_cast<char>(n));
  return out;
}
std::string file_of_run(const std::string& conditions, const std::string& name) {
  return as_text(in_child([&] { return as_numbers(files(conditions).at(name)); }));
}

const std::string kill = R"([{"kind": "node_failure", "node": 0, "from_s": 21, "recovers_after_s": 5, "on_failure": )";

TEST(failures, before_the_instant_requests_and_steps_are_the_same_to_the_byte) {
  for (const std::string name : {"requests.csv", "steps.jsonl"}) {
    const auto with = lines(file_of_run(kill + "\"retry\"}]", name)), without = lines(file_of_run("[]", name));
    std::size_t same = name == "requests.csv" ? 1 : 0;
    const auto ends = [&](const std::string& line) {
      return name == "requests.csv" ? std::stod(cell(line, finish_column)) : number_after(line, "\"end_s\":");
    };
    while (same < with.size() && ends(with[same]) < killed_at) {
      ASSERT_LT(same, without.size());
      ASSERT_EQ(with[same], without[same]);
      ++same;
    }
    EXPECT_GE(ends(without[same]), killed_at);
    EXPECT_GT(same, 300U);
    EXPECT_NE(with, without);
  }
}

TEST(failures, every_request_is_in_one_terminal_state) {
  for (const std::string course : {"retry", "fail"}) {
    const auto rows = lines(file_of_run(kill + "\"" + course + "\"}]", "requests.csv"));
    std::map<std::string, int> ids, outcomes;
    for (std::size_t i = 1; i < rows.size(); ++i) {
      ++ids[cell(rows[i], 0)];
      ++outcomes[cell(rows[i], outcome_column)];
    }
    EXPECT_EQ(ids.size(), 1500U);
    EXPECT_EQ(rows.size(), 1501U);
    EXPECT_EQ(outcomes["completed"] + outcomes["failed"], 1500);
    EXPECT_EQ(outcomes["failed"] > 0, course == "fail") << outcomes["failed"];
  }
}

}  // namespace
}  // namespace brink::testing
