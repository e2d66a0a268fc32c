// The run server as a client sees it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <sstream>

#include "tests/support/engine_process.h"
#include "tests/support/temp_path.h"
#include "tests/unit/scenario/base_scenario.h"

namespace brink::test {
namespace {

using scenario::test::base_dir;
using scenario::test::good_scenario;

Json request(const Json& scenario = good_scenario()) {
  Json out = Json::object();
  out.set("scenario", scenario);
  out.set("base_dir", base_dir);
  out.set("settings", Json::array());
  out.set("seed", Json());
  out.set("out", Json());
  out.set("progress_interval_s", 0.2);
  out.set("files", true);
  return out;
}

/// About 4 million steps: seconds of work that only a kill ends.
Json long_request() {
  Json scenario = good_scenario();
  apply_setting(scenario, "/workload/num_requests=2000000");
  apply_setting(scenario, "/workload/arrivals/rate_per_s=1");
  apply_setting(scenario, "/output={\"requests\": false, \"timeseries\": false}");
  Json out = request(scenario);
  out.set("progress_interval_s", 0.0);
  return out;
}

std::string text(const Json& json, const char* key) {
  const Json* found = json.find(key);
  return found != nullptr && found->is_string() ? found->as_string() : std::string();
}

bool gone(pid_t pid) {
  for (int i = 0; i < 2000; ++i) {
    if (::kill(pid, 0) != 0 && errno == ESRCH) return true;
    // Dead and not yet buried: an orphan is reaped whenever its new parent gets round to it.
    const std::string stat = read_text("/proc/" + std::to_string(pid) + "/stat");
    if (stat.find(") Z") != std::string::npos) return true;
    ::usleep(1000);
  }
  return false;
}

void reverse_keys(Json& json) {
  if (json.is_object()) {
    std::reverse(json.members().begin(), json.members().end());
    for (Json::Member& member : json.members()) reverse_keys(member.second);
  }
}

TEST(Serve, ARunSendsItsFilesAndIsDone) {
  RunServerProcess server;
  const Answer answer = server.run(request());
  ASSERT_EQ(answer.type, 'D') << answer.json.dump();
  EXPECT_TRUE(answer.json.find("ok")->as_bool());
  EXPECT_TRUE(answer.json.find("out")->is_null());
  for (const char* name : {"summary.json", "requests.csv", "timeseries.csv", "scenario.json"}) {
    ASSERT_TRUE(answer.files.contains(name)) << name;
  }
  const Json summary = parse_json(answer.files.at("summary.json"));
  EXPECT_EQ(summary.find("completed")->as_integer(), 60);
  EXPECT_EQ(server.end(), 0);
}

TEST(Serve, EqualRunsGiveEqualBytesWhateverTheOrderOfKeys) {
  RunServerProcess server, other;
  const Answer first = server.run(request()), second = server.run(request());
  Json shuffled = good_scenario();
  reverse_keys(shuffled);
  const Answer third = other.run(request(shuffled));
  ASSERT_EQ(first.type, 'D');
  EXPECT_EQ(first.files, second.files);
  EXPECT_EQ(first.files, third.files);
  Json reseeded = request();
  reseeded.set("seed", 2);
  EXPECT_NE(server.run(reseeded).files.at("requests.csv"), first.files.at("requests.csv"));
}

TEST(Serve, TheCommandLineWritesTheSameBytes) {
  const TempPath place("serve_same");
  const std::string& folder = place.str();
  std::filesystem::create_directories(folder);
  const std::string out = folder + "/result";
  Json scenario = load_json(base_dir + "/closed_7b.json");
  RunServerProcess server;
  const Answer answer = server.run(request(scenario));
  const CommandResult command = run_command("run " + base_dir + "/closed_7b.json -o " + out);
  ASSERT_EQ(command.status, 0) << command.text;
  ASSERT_EQ(answer.type, 'D') << answer.json.dump();
  for (const auto& [name, content] : answer.files) EXPECT_EQ(read_text(out + "/" + name), content) << name;
}

/// What a table says of requests without what was followed of them.
std::string first_columns(const std::string& csv, std::size_t count) {
  std::istringstream in(csv);
  std::string out;
  for (std::string row; std::getline(in, row);) {
    std::size_t end = 0;
    for (std::size_t i = 0; i < count; ++i) end = row.find(',', end) + 1;
    out += row.substr(0, end) + "\n";
  }
  return out;
}

// Whoever follows a run only listens: what is observed or written changes no instant of any request.
TEST(Serve, FollowingARunDoesNotChangeIt) {
  RunServerProcess server;
  const auto requests = [&](const std::vector<std::string>& settings) {
    Json asked = request(load_json(base_dir + "/open_70b.json"));
    asked.set("settings", Json::array_of(settings));
    const Answer answer = server.run(asked);
    EXPECT_EQ(answer.type, 'D') << answer.json.dump();
    return answer.files.count("requests.csv") == 0 ? std::string() : answer.files.at("requests.csv");
  };
  const std::string stall = R"(/conditions=[{"kind": "stall", "rank": 1, "extra_ms": 3, "from_s": 5, "until_s": 10}, {"kind": "jitter"}])";
  const std::string control = R"(/control={"policy": "aimd", "target_ms": 20})";
  const std::vector<std::vector<std::string>> less = {{R"(/observe={"plans": false, "regimes": false})"},
                                                      {R"(/observe={"drift": false})", "/output/ledger=false"},
                                                      {R"(/observe={"plans": false, "regimes": false})", "/output/ledger=false", "/output/records=full"}};
  for (const bool troubled : {false, true}) {
    const std::vector<std::string> trouble = troubled ? std::vector{stall, control} : std::vector<std::string>{};
    const std::string all = requests(trouble);
    ASSERT_FALSE(all.empty());
    for (std::vector<std::string> settings : less) {
      settings.insert(settings.end(), trouble.begin(), trouble.end());
      EXPECT_EQ(first_columns(requests(settings), 15), first_columns(all, 15)) << settings.front();
    }
  }
}

TEST(Serve, WritesAResultFolderWhenAsked) {
  const TempPath place("serve_out");
  const std::string& out = place.str();
  RunServerProcess server;
  Json asked = request();
  asked.set("out", out);
  asked.set("files", false);
  const Answer answer = server.run(asked);
  ASSERT_EQ(answer.type, 'D') << answer.json.dump();
  EXPECT_EQ(text(answer.json, "out"), out);
  EXPECT_TRUE(answer.files.empty());
  EXPECT_TRUE(std::filesystem::exists(out + "/summary.json"));
}

TEST(Serve, ABadScenarioIsAConfigError) {
  RunServerProcess server;
  Json asked = request();
  asked.set("settings", Json::array_of(std::vector<std::string>{"/engine/max_num_seqs=0"}));
  const Answer answer = server.run(asked);
  ASSERT_EQ(answer.type, 'E');
  EXPECT_EQ(text(answer.json, "kind"), "config");
  EXPECT_EQ(text(answer.json, "pointer"), "/engine/max_num_seqs");
  EXPECT_EQ(text(answer.json, "got"), "the integer 0");
  EXPECT_NE(text(answer.json, "allowed"), "");
  EXPECT_EQ(server.run(request()).type, 'D') << "the server goes on";
}

TEST(Serve, ABadRowOfATraceIsATraceError) {
  const TempPath file("bad_trace.csv", "arrival_s,input_tokens,output_tokens\n0,10,5\n1,10,5\n2,ten,5\n");
  const std::string& trace = file.str();
  Json scenario = good_scenario();
  apply_setting(scenario, "/workload={\"trace\": {\"format\": \"plain\", \"path\": \"" + trace + "\"}}");
  RunServerProcess server;
  const Answer answer = server.run(request(scenario));
  ASSERT_EQ(answer.type, 'E');
  EXPECT_EQ(text(answer.json, "kind"), "trace") << answer.json.dump();
  EXPECT_NE(text(answer.json, "message").find("bad_trace.csv"), std::string::npos);
  EXPECT_TRUE(answer.files.empty()) << "nothing half-done";
}

TEST(Serve, MalformedFramesAreAnsweredAndTheServerGoesOn) {
  RunServerProcess server;
  for (const std::string& bytes : {app::encode_frame('R', "{not json"), app::encode_frame('R', "[]"), app::encode_frame('R', "{}"),
                                   app::encode_frame('R', R"({"scenario": {}, "colour": 1})"), app::encode_frame('x', "?"),
                                   app::encode_frame('R', R"({"scenario": {}, "seed": -1})")}) {
    server.send(bytes);
    const Answer answer = server.answer();
    ASSERT_EQ(answer.type, 'E');
    EXPECT_EQ(text(answer.json, "kind"), "config") << answer.json.dump();
  }
  server.send(app::encode_frame('K', ""));  // nothing to kill: no answer
  const std::uint64_t above = (std::uint64_t{64} << 20U) + 1;
  server.send(app::frame_header('R', above));
  EXPECT_EQ(server.answer().type, 'E');
  const std::string piece(1 << 16, 'x');
  for (std::uint64_t sent = 0; sent < above; sent += piece.size()) server.send(piece.substr(0, std::min<std::uint64_t>(piece.size(), above - sent)));
  EXPECT_EQ(server.run(request()).type, 'D');
}

TEST(Serve, AKillEndsTheRunAndTheServerGoesOn) {
  RunServerProcess server;
  server.ask(long_request());
  ASSERT_EQ(server.next().type, 'P');
  const pid_t child = server.wait_for_child();
  server.send(app::encode_frame('K', ""));
  const Answer answer = server.answer();
  ASSERT_EQ(answer.type, 'E');
  EXPECT_EQ(text(answer.json, "kind"), "cancelled");
  EXPECT_TRUE(gone(child));
  EXPECT_EQ(server.run(request()).type, 'D');
}

TEST(Serve, AKillRightBehindItsRunCounts) {
  RunServerProcess server;
  server.send(app::encode_frame('R', long_request().dump()) + app::encode_frame('K', ""));
  const Answer answer = server.answer();
  ASSERT_EQ(answer.type, 'E');
  EXPECT_EQ(text(answer.json, "kind"), "cancelled");
}

TEST(Serve, RunsThatQueueAreAnsweredInOrder) {
  RunServerProcess server;
  Json named = request();
  std::string bytes;
  for (int i = 0; i < 8; ++i) {
    named.set("seed", i);
    bytes += app::encode_frame('R', named.dump());
  }
  server.send(bytes);
  for (int i = 0; i < 8; ++i) {
    const Answer answer = server.answer();
    ASSERT_EQ(answer.type, 'D') << answer.json.dump();
    EXPECT_EQ(parse_json(answer.files.at("scenario.json")).find("seed")->as_integer(), i);
  }
}

TEST(Serve, TheScenarioARunWritesGivesThatRunAgain) {
  RunServerProcess server;
  const Answer first = server.run(request());
  ASSERT_EQ(first.type, 'D') << first.json.dump();
  const Answer again = server.run(request(parse_json(first.files.at("scenario.json"))));
  EXPECT_EQ(again.files, first.files);
}

TEST(Serve, AnOccupiedFolderIsAConfigError) {
  const TempPath place("serve_occupied");
  const std::string& folder = place.str();
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/precious.txt") << "mine";
  RunServerProcess server;
  Json asked = request();
  asked.set("out", folder);
  const Answer answer = server.run(asked);
  ASSERT_EQ(answer.type, 'E');
  EXPECT_EQ(text(answer.json, "kind"), "config");
  EXPECT_NE(text(answer.json, "message").find("not a result folder"), std::string::npos);
}

TEST(Serve, ARunThatDiesSaysHow) {
  RunServerProcess server;
  server.ask(long_request());
  ASSERT_EQ(server.next().type, 'P');
  ::kill(server.wait_for_child(), SIGSEGV);
  Answer answer = server.answer();
  ASSERT_EQ(answer.type, 'E');
  EXPECT_EQ(text(answer.json, "kind"), "died") << answer.json.dump();
  EXPECT_EQ(server.run(request()).type, 'D');
  server.ask(long_request());
  ASSERT_EQ(server.next().type, 'P');
  ::kill(server.wait_for_child(), SIGKILL);
  answer = server.answer();
  EXPECT_EQ(text(answer.json, "kind"), "died");
  ASSERT_TRUE(answer.json.find("signal")->is_number());
  EXPECT_EQ(answer.json.find("signal")->as_integer(), SIGKILL);
}

TEST(Serve, TheEndOfItsInputEndsServerAndRun) {
  RunServerProcess server;
  server.ask(long_request());
  ASSERT_EQ(server.next().type, 'P');
  const pid_t child = server.wait_for_child();
  EXPECT_EQ(server.end(), 0);
  EXPECT_TRUE(gone(child));
}

TEST(Serve, ARunDoesNotOutliveAKilledServer) {
  RunServerProcess server;
  server.ask(long_request());
  ASSERT_EQ(server.next().type, 'P');
  const pid_t child = server.wait_for_child();
  ::kill(server.pid(), SIGKILL);
  EXPECT_TRUE(gone(child));
}

}  // namespace
}  // namespace brink::test
