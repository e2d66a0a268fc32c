// Runs a shipped scenario, with some fields set otherwise, and reads what it wrote.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "tests/support/engine_process.h"
#include "tests/support/temp_path.h"

namespace brink::test {

/// A CSV file whose fields hold no commas outside quotes.
class Table {
 public:
  using Row = std::vector<std::string>;

  explicit Table(const std::string& text) {
    std::istringstream lines(text);
    std::string line;
    std::getline(lines, line);
    columns_ = split(line);
    while (std::getline(lines, line)) rows_.push_back(split(line));
  }

  [[nodiscard]] std::size_t column(const std::string& name) const {
    const auto found = std::find(columns_.begin(), columns_.end(), name);
    if (found == columns_.end()) throw std::runtime_error("no column " + name);
    return static_cast<std::size_t>(found - columns_.begin());
  }
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }

 private:
  static Row split(const std::string& line) {
    Row fields(1);
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') quoted = !quoted;
      if (c == ',' && !quoted) fields.emplace_back();
      else if (c != '"') fields.back() += c;
    }
    return fields;
  }

  Row columns_;
  std::vector<Row> rows_;
};

/// One run of configs/scenarios/<name>.json. `settings` are POINTER=VALUE, as for --set.
class ShippedRun {
 public:
  using Settings = std::vector<std::string>;

  explicit ShippedRun(const std::string& name, const Settings& settings = {}) : folder_(name + "_" + std::to_string(++made)) {
    std::string command = "run " + std::string(BRINK_SOURCE_DIR) + "/configs/scenarios/" + name + ".json -o " + folder_.str();
    for (const std::string& setting : settings) command += " --set '" + setting + "'";
    const CommandResult done = run_command(command);
    if (done.status != 0) throw std::runtime_error(command + ": " + done.text);
    summary = load_json(folder_.str() + "/summary.json");
  }

  /// A number of the summary.
  [[nodiscard]] double at(const std::string& pointer) const {
    const Json* found = at_pointer(summary, pointer);
    if (found == nullptr || !found->is_number()) throw std::runtime_error("the summary has no number at " + pointer);
    return found->as_double();
  }
  /// steps.jsonl, ledger.jsonl, ...
  [[nodiscard]] std::vector<Json> lines(const std::string& file) const {
    std::vector<Json> out;
    std::istringstream in(read_text(folder_.str() + "/" + file));
    for (std::string line; std::getline(in, line);) out.push_back(parse_json(line));
    return out;
  }
  [[nodiscard]] Table table(const std::string& file) const { return Table(read_text(folder_.str() + "/" + file)); }

  Json summary;

 private:
  static inline int made = 0;

  TempPath folder_;
};

[[nodiscard]] inline double number(const Json& object, const char* key) {
  const Json* found = object.find(key);
  if (found == nullptr || !found->is_number()) throw std::runtime_error(std::string("no number ") + key);
  return found->as_double();
}
[[nodiscard]] inline std::int64_t integer(const Json& object, const char* key) {
  const Json* found = object.find(key);
  if (found == nullptr) throw std::runtime_error(std::string("no field ") + key);
  return found->as_integer();
}

}  // namespace brink::test
