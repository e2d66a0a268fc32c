// Every way to get a workload wrong says where, what was got and what is allowed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/base/error.h"
#include "support.h"

namespace brink::workload {
namespace {

using ::testing::HasSubstr;

struct BadConfig {
  const char* json;
  const char* pointer;  // below /workload
  const char* got;      // part of the message
  const char* allowed;  // part of the message
};

// @L: good lengths, @A: good arrivals with an end, @T: a good trace file, @E: a good table of lengths.
const BadConfig bad_configs[] = {
    {"3", "", "the integer 3", "an object"},
    {"{}", "/arrivals", "neither trace nor arrivals", "exactly one"},
    {R"({"trace": {"format": "plain", "path": "@T"}, @A, @L})", "/arrivals", "both", "exactly one"},
    {R"({"schema_version": 2, @A, @L})", "/schema_version", "2", "1"},
    {R"({@A, @L, "rate_skale": 2})", "/rate_skale", "unknown field", "rate_scale"},
    {R"({@A, @L, "rate_scale": 0})", "/rate_scale", "0", "> 0"},
    {R"({@A, @L, "rate_scale": -1})", "/rate_scale", "-1", "> 0"},
    {R"({@A, @L, "max_in_flight": 0})", "/max_in_flight", "0", ">= 1"},
    {R"({@A, @L, "max_in_flight": 1.5})", "/max_in_flight", "1.5", "integer"},
    {R"({@A, @L, "prompts": {"kind": "pol", "size": 4}})", "/prompts/kind", "pol", "did you mean 'pool'"},
    {R"({@A, @L, "prompts": {"kind": "pool"}})", "/prompts/size", "nothing", "required"},
    {R"({@A, @L, "prompts": {"kind": "pool", "size": 0}})", "/prompts/size", "0", ">= 1"},
    {R"({@A, @L, "prompts": {"kind": "unique", "size": 4}})", "/prompts/size", "unknown field", "kind"},
    {R"({@A, @L, "duration_s": 5})", "/duration_s", "both num_requests and duration_s", "exactly one"},
    {R"({"arrivals": {"kind": "poisson", "rate_per_s": 1}, @L})", "/num_requests", "neither", "exactly one"},
    {R"({"arrivals": {"kind": "poisson", "rate_per_s": 1}, @L, "num_requests": 0})", "/num_requests", "0", ">= 1"},
    {R"({"arrivals": {"kind": "poisson", "rate_per_s": 1}, @L, "num_requests": 2.5})", "/num_requests", "2.5", "integer"},
    {R"({"arrivals": {"kind": "poisson", "rate_per_s": 1}, @L, "duration_s": 0})", "/duration_s", "0", "> 0"},
    {R"({"arrivals": 1, @L})", "/arrivals", "the integer 1", "an object"},
    {R"({"arrivals": {"rate_per_s": 1}, @L, "num_requests": 1})", "/arrivals/kind", "nothing", "required"},
    {R"({"arrivals": {"kind": "poison", "rate_per_s": 1}, @L, "num_requests": 1})", "/arrivals/kind", "poison", "did you mean 'poisson'"},
    {R"({"arrivals": {"kind": "poisson"}, @L, "num_requests": 1})", "/arrivals/rate_per_s", "nothing", "required"},
    {R"({"arrivals": {"kind": "poisson", "rate_per_s": 0}, @L, "num_requests": 1})", "/arrivals/rate_per_s", "0", "> 0"},
    {R"({"arrivals": {"kind": "poisson", "rate_per_s": "5"}, @L, "num_requests": 1})", "/arrivals/rate_per_s", "5", "a number"},
    {R"({"arrivals": {"kind": "poisson", "rate_per_s": 1, "burstiness": 2}, @L, "num_requests": 1})", "/arrivals/burstiness", "poisson", "gamma or weibull"},
    {R"({"arrivals": {"kind": "constant", "rate_per_s": 1, "burstiness": 1}, @L, "num_requests": 1})", "/arrivals/burstiness", "constant", "gamma or weibull"},
    {R"({"arrivals": {"kind": "gamma", "rate_per_s": 1, "burstiness": 0}, @L, "num_requests": 1})", "/arrivals/burstiness", "0", ">= 0.01"},
    {R"({"arrivals": {"kind": "gamma", "rate_per_s": 1, "brstiness": 1}, @L, "num_requests": 1})", "/arrivals/brstiness", "unknown field", "burstiness"},
    {R"({"arrivals": {"kind": "gamma", "rate_per_s": 1, "concurrency": 4}, @L, "num_requests": 1})", "/arrivals/concurrency", "gamma", "max_in_flight"},
    {R"({"arrivals": {"kind": "poisson", "rate_per_s": 1, "stages": []}, @L})", "/arrivals/rate_per_s", "both", "exactly one"},
    {R"({"arrivals": {"kind": "poisson", "stages": []}, @L})", "/arrivals/stages", "no stages", "at least one"},
    {R"({"arrivals": {"kind": "poisson", "stages": 5}, @L})", "/arrivals/stages", "the integer 5", "an array"},
    {R"({"arrivals": {"kind": "poisson", "stages": [{"duration_s": 1, "rate_per_s": 0}]}, @L})", "/arrivals/stages", "all 0", "above 0"},
    {R"({"arrivals": {"kind": "poisson", "stages": [{"duration_s": 1, "rate_per_s": 1}, {"duration_s": 0, "rate_per_s": 1}]}, @L})", "/arrivals/stages/1/duration_s", "0", "> 0"},
    {R"({"arrivals": {"kind": "poisson", "stages": [{"duration_s": 1, "rate_per_s": -1}]}, @L})", "/arrivals/stages/0/rate_per_s", "-1", ">= 0"},
    {R"({"arrivals": {"kind": "poisson", "stages": [{"duration_s": 1}]}, @L})", "/arrivals/stages/0/rate_per_s", "nothing", "required"},
    {R"({"arrivals": {"kind": "poisson", "stages": [{"duration_s": 1, "rate": 1, "rate_per_s": 1}]}, @L})", "/arrivals/stages/0/rate", "unknown field", "rate_per_s"},
    {R"({"arrivals": {"kind": "poisson", "stages": [{"duration_s": 1, "rate_per_s": 1}]}, @L, "duration_s": 1})", "/duration_s", "beside stages", "drop duration_s"},
    {R"({"arrivals": {"kind": "closed_loop"}, @L, "num_requests": 1})", "/arrivals/concurrency", "nothing", "required"},
    {R"({"arrivals": {"kind": "closed_loop", "concurrency": 0}, @L, "num_requests": 1})", "/arrivals/concurrency", "0", ">= 1"},
    {R"({"arrivals": {"kind": "closed_loop", "concurrency": 1, "rate_per_s": 1}, @L, "num_requests": 1})", "/arrivals/rate_per_s", "closed loop", "only concurrency"},
    {R"({"arrivals": {"kind": "closed_loop", "concurrency": 1, "stages": []}, @L, "num_requests": 1})", "/arrivals/stages", "closed loop", "only concurrency"},
    {R"({"arrivals": {"kind": "closed_loop", "concurrency": 1}, @L, "num_requests": 1, "max_in_flight": 1})", "/max_in_flight", "beside a closed loop", "concurrency"},
    {R"({"arrivals": {"kind": "closed_loop", "concurrency": 1}, @L, "num_requests": 1, "rate_scale": 2})", "/rate_scale", "closed loop", "concurrency"},
    {R"({@A, "output_tokens": {"kind": "fixed", "value": 1}})", "/input_tokens", "nothing", "required"},
    {R"({@A, @O, "input_tokens": 5})", "/input_tokens", "the integer 5", "an object"},
    {R"({@A, @O, "input_tokens": {"kind": "fixd", "value": 5}})", "/input_tokens/kind", "fixd", "did you mean 'fixed'"},
    {R"({@A, @O, "input_tokens": {"kind": "fixed", "value": 0}})", "/input_tokens/value", "0", ">= 1"},
    {R"({@A, @O, "input_tokens": {"kind": "fixed", "value": 5, "low": 1}})", "/input_tokens/low", "unknown field", "value"},
    {R"({@A, @O, "input_tokens": {"kind": "uniform", "low": 5, "high": 4}})", "/input_tokens/high", "4", "at least low = 5"},
    {R"({@A, @O, "input_tokens": {"kind": "choice", "values": []}})", "/input_tokens/values", "no values", "at least one"},
    {R"({@A, @O, "input_tokens": {"kind": "choice", "values": [1, 0]}})", "/input_tokens/values/1", "0", ">= 1"},
    {R"({@A, @O, "input_tokens": {"kind": "choice", "values": [1, 2], "weights": [1]}})", "/input_tokens/weights", "1 weights", "each of the 2 values"},
    {R"({@A, @O, "input_tokens": {"kind": "choice", "values": [1, 2], "weights": [0, 0]}})", "/input_tokens/weights", "sum to 0", "above 0"},
    {R"({@A, @O, "input_tokens": {"kind": "choice", "values": [1, 2], "weights": [1, -1]}})", "/input_tokens/weights/1", "-1", ">= 0"},
    {R"({@A, @O, "input_tokens": {"kind": "lognormal", "median": 0.5, "sigma": 1}})", "/input_tokens/median", "0.5", ">= 1"},
    {R"({@A, @O, "input_tokens": {"kind": "lognormal", "median": 5, "sigma": -1}})", "/input_tokens/sigma", "-1", ">= 0"},
    {R"({@A, @O, "input_tokens": {"kind": "lognormal", "median": 5, "sigma": 1, "max": 4}})", "/input_tokens/max", "4", "the median"},
    {R"({@A, @O, "input_tokens": {"kind": "mixture", "components": []}})", "/input_tokens/components", "no components", "at least one"},
    {R"({@A, @O, "input_tokens": {"kind": "mixture", "components": [{"weight": 1, "length": {"kind": "fixed", "value": 0}}]}})", "/input_tokens/components/0/length/value", "0", ">= 1"},
    {R"({@A, @O, "input_tokens": {"kind": "mixture", "components": [{"weight": 1, "length": {"kind": "empirical", "path": "@E"}}]}})", "/input_tokens/components/0/length/kind", "empirical", "stand alone"},
    {R"({@A, @O, "input_tokens": {"kind": "empirical"}})", "/input_tokens/path", "nothing", "required"},
    {R"({@A, @O, "input_tokens": {"kind": "empirical", "path": "absent.csv"}})", "/input_tokens/path", "absent.csv: no such file", "input_tokens, output_tokens"},
    {R"({"trace": {"path": "@T"}})", "/trace/format", "nothing", "required"},
    {R"({"trace": {"format": "plai", "path": "@T"}})", "/trace/format", "'plai'", "did you mean 'plain'? allowed: plain, azure-llm"},
    {R"({"trace": {"format": "mooncake", "path": "@T"}})", "/trace/format", "'mooncake'", "not supported by this version; supported: plain, azure-llm"},
    {R"({"trace": {"format": "burstgpt", "path": "@T"}})", "/trace/format", "'burstgpt'", "not supported by this version; supported: plain, azure-llm"},
    {R"({"trace": {"format": "vidur", "path": "@T"}})", "/trace/format", "'vidur'", "not supported by this version; supported: plain, azure-llm"},
    {R"({"trace": {"format": "plain"}})", "/trace/path", "nothing", "required"},
    {R"({"trace": {"format": "plain", "path": "absent.csv"}})", "/trace/path", "absent.csv: no such file", "a readable trace"},
    {R"({"trace": {"format": "plain", "path": "."}})", "/trace/path", "is a folder", "a readable trace"},
    {R"({"trace": {"format": "plain", "path": "@T", "window": [0, 1]}})", "/trace/window", "unknown field", "window_s"},
    {R"({"trace": {"format": "plain", "path": "@T", "window_s": [0]}})", "/trace/window_s", "an array of 1", "[from, to]"},
    {R"({"trace": {"format": "plain", "path": "@T", "window_s": [2, 1]}})", "/trace/window_s", "ends before", "from < to"},
    {R"({"trace": {"format": "plain", "path": "@T", "window_s": [-1, 1]}})", "/trace/window_s/0", "-1", ">= 0"},
    {R"({"trace": {"format": "plain", "path": "@T", "window_s": [100, 200]}})", "/trace/window_s", "no request", "last row read is at 1"},
    {R"({"trace": {"format": "plain", "path": "@T"}, "num_requests": 5})", "/num_requests", "unknown field", "allowed"},
};

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

class BadConfigTest : public ::testing::TestWithParam<BadConfig> {};

TEST_P(BadConfigTest, NamesThePlaceAndWhatIsAllowed) {
  testing::Folder folder;
  folder.write("t.csv", "arrival_s,input_tokens,output_tokens\n1,1,1\n");
  std::string json = GetParam().json;
  json = replaced(json, "@T", "t.csv");
  json = replaced(json, "@E", "t.csv");
  json = replaced(json, "@A", R"("num_requests": 5, "arrivals": {"kind": "poisson", "rate_per_s": 1})");
  json = replaced(json, "@L", R"("input_tokens": {"kind": "fixed", "value": 1}, @O)");
  json = replaced(json, "@O", R"("output_tokens": {"kind": "fixed", "value": 1})");
  try {
    (void)testing::make(json, folder.path());
    FAIL() << "accepted: " << json;
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.pointer(), std::string("/workload") + GetParam().pointer) << error.what();
    EXPECT_THAT(error.got(), HasSubstr(GetParam().got));
    EXPECT_THAT(error.allowed(), HasSubstr(GetParam().allowed));
  }
}

INSTANTIATE_TEST_SUITE_P(Workload, BadConfigTest, ::testing::ValuesIn(bad_configs));

struct BadTrace {
  const char* format;
  std::string rows;  // below the header, unless it starts with '!': then the whole file
  int line;
  const char* message;
};

const BadTrace bad_traces[] = {
    {"plain", "!", 1, "the file is empty"},
    {"plain", "!input_tokens,arrival_s,output_tokens\n1,1,1\n", 1, "got the columns 'input_tokens,arrival_s,output_tokens'"},
    {"plain", "!arrival_s,input_tokens\n1,1\n", 1, "the plain format is arrival_s,input_tokens,output_tokens"},
    {"plain", "!0.5,100,10\n", 1, "got the columns '0.5,100,10'"},
    {"plain", "1,1,1\n2,0,1\n", 3, "input_tokens: got '0'; a whole number of tokens from 1 to 1000000000"},
    {"plain", "1,1,1\n2,1,-3\n", 3, "output_tokens: got '-3'"},
    {"plain", "1,1,2000000000\n", 2, "output_tokens: got '2000000000'"},
    {"plain", "1,1.5,1\n", 2, "input_tokens: got '1.5'"},
    {"plain", "1,,1\n", 2, "input_tokens: got ''"},
    {"plain", "nan,1,1\n", 2, "arrival_s: got 'nan'; a number of seconds >= 0"},
    {"plain", "-1,1,1\n", 2, "arrival_s: got '-1'"},
    {"plain", "1e999,1,1\n", 2, "arrival_s: got '1e999'"},
    {"plain", "1s,1,1\n", 2, "arrival_s: got '1s'"},
    {"plain", "1,1\n", 2, "got 2 fields; the header has 3"},
    {"plain", "1,1,1,1\n", 2, "got 4 fields; the header has 3"},
    {"plain", "2,1,1\n1.999,1,1\n", 3, "arrives before the row above it; rows must be in order of time"},
    {"plain", std::string(70'000, 'x'), 2, "the line is longer than 65536 bytes"},
    {"azure-llm", "!TIMESTAMP,ContextTokens\n", 1, "the azure-llm format is exactly TIMESTAMP,ContextTokens,GeneratedTokens"},
    {"azure-llm", "!timestamp,ContextTokens,GeneratedTokens\n", 1, "got the columns 'timestamp,"},
    {"azure-llm", "2023-11-31 00:00:00.0000000,1,1\n", 2, "TIMESTAMP: got '2023-11-31 00:00:00.0000000'"},
    {"azure-llm", "12.5,1,1\n", 2, "TIMESTAMP: got '12.5'; YYYY-MM-DD HH:MM:SS"},
    {"azure-llm", "2023-11-16 18:15:46.6805900,374,0\n", 2, "GeneratedTokens: got '0'"},
    {"azure-llm", "2023-11-16 18:15:46.6805900,0,1\n", 2, "ContextTokens: got '0'"},
    {"azure-llm", "2023-11-16 18:15:46.6805900,1,1\n2023-11-16 18:15:46.6805899,1,1\n", 3, "arrives before the row above it"},
    {"azure-llm", "2023-11-16 18:15:46.6805900,1\n", 2, "got 2 fields; the header has 3"},
};

class BadTraceTest : public ::testing::TestWithParam<BadTrace> {};

TEST_P(BadTraceTest, NamesFileAndLine) {
  const BadTrace& bad = GetParam();
  const bool azure = std::string(bad.format) == "azure-llm";
  const std::string header =
      azure ? "TIMESTAMP,ContextTokens,GeneratedTokens\n" : "arrival_s,input_tokens,output_tokens\n";
  testing::Folder folder;
  folder.write("bad.csv", bad.rows.starts_with("!") ? bad.rows.substr(1) : header + bad.rows);
  try {
    (void)testing::draw(R"({"trace": {"format": ")" + std::string(bad.format) + R"(", "path": "bad.csv"}})", folder.path());
    FAIL() << "accepted";
  } catch (const TraceError& error) {
    EXPECT_THAT(error.what(), HasSubstr("bad.csv:" + std::to_string(bad.line) + ": "));
    EXPECT_THAT(error.what(), HasSubstr(bad.message));
  }
}

INSTANTIATE_TEST_SUITE_P(Trace, BadTraceTest, ::testing::ValuesIn(bad_traces));

TEST(BadTrace, CutOffGzipIsAnError) {
  std::string text = "arrival_s,input_tokens,output_tokens\n";
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i) + "," + std::to_string(1 + i * 7919 % 1009) + ",1\n";
  testing::Folder folder;
  folder.write_gz("t.csv.gz", text);
  std::filesystem::resize_file(folder.path("t.csv.gz"), std::filesystem::file_size(folder.path("t.csv.gz")) / 2);
  try {
    (void)testing::draw(R"({"trace": {"format": "plain", "path": "t.csv.gz"}})", folder.path());
    FAIL() << "accepted";
  } catch (const TraceError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the gzip data is cut off"));
  }
}

TEST(BadTrace, DamagedGzipIsAnError) {
  std::string text = "arrival_s,input_tokens,output_tokens\n";
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i) + "," + std::to_string(1 + i * 7919 % 1009) + ",1\n";
  testing::Folder folder;
  folder.write_gz("t.csv.gz", text);
  std::fstream file(folder.path("t.csv.gz"), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(2000);
  file.write("damage damage damage", 20);
  file.close();
  EXPECT_THROW((void)testing::draw(R"({"trace": {"format": "plain", "path": "t.csv.gz"}})", folder.path()), TraceError);
}

TEST(BadTable, NamesFileAndLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "l.csv:1: the file is empty"},
      {"input,output\n1,1\n", "l.csv:1: got the columns 'input,output'"},
      {"input_tokens,output_tokens\n", "l.csv:2: the table has no rows"},
      {"input_tokens,output_tokens\n1,1\n1,0\n", "l.csv:3: output_tokens: got '0'"},
      {"input_tokens,output_tokens\n1\n", "l.csv:2: got 1 fields; the header has 2"},
  };
  for (const auto& [text, message] : cases) {
    testing::Folder folder;
    folder.write("l.csv", text);
    try {
      (void)testing::make(R"({"arrivals": {"kind": "constant", "rate_per_s": 1}, "num_requests": 1,
        "input_tokens": {"kind": "empirical", "path": "l.csv"}, "output_tokens": {"kind": "empirical", "path": "l.csv"}})",
                          folder.path());
      FAIL() << "accepted: " << text;
    } catch (const TraceError& error) {
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  }
}

TEST(BadFile, NamesTheWorkloadFile) {
  testing::Folder folder;
  folder.write("w.json", R"({"arrivals": {"kind": "poisson"}})");
  try {
    (void)testing::make("\"w.json\"", folder.path());
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.pointer(), "/arrivals/rate_per_s");
    EXPECT_EQ(error.file(), folder.path("w.json"));
  }
  EXPECT_THROW((void)testing::make("\"absent.json\"", folder.path()), ConfigError);
}

}  // namespace
}  // namespace brink::workload
