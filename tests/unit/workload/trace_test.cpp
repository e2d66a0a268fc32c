#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/base/error.h"
#include "sim/workload/timestamp.h"
#include "support.h"

namespace brink::workload {
namespace {

using testing::draw;
using testing::Folder;

const std::string plain =
    "arrival_s,input_tokens,output_tokens\n"
    "0.5,100,10\n"
    "1.25,200,20\n"
    "1.25,300,30\n"
    "4,400,40\n";

std::string trace(const std::string& path, const std::string& format = "plain", const std::string& more = "",
                  const std::string& outer = "") {
  return R"({"trace": {"format": ")" + format + R"(", "path": ")" + path + "\"" + more + "}" + outer + "}";
}

std::vector<double> arrivals(const std::vector<Request>& requests) {
  std::vector<double> out;
  for (const Request& r : requests) out.push_back(r.arrival.value());
  return out;
}

TEST(PlainTrace, GivesEveryRowInOrder) {
  Folder folder;
  folder.write("t.csv", plain);
  const auto requests = draw(trace("t.csv"), folder.path());
  ASSERT_EQ(requests.size(), 4U);
  EXPECT_THAT(arrivals(requests), ::testing::ElementsAre(0.5, 1.25, 1.25, 4.0));
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(requests[i].id.value, i);
    EXPECT_EQ(requests[i].input_tokens, 100 * static_cast<std::int64_t>(i + 1));
    EXPECT_EQ(requests[i].output_tokens, 10 * static_cast<std::int64_t>(i + 1));
  }
}

TEST(PlainTrace, EndsForEver) {
  Folder folder;
  folder.write("t.csv", plain);
  Workload workload = testing::make(trace("t.csv"), folder.path());
  EXPECT_EQ(testing::take(workload).size(), 4U);
  EXPECT_FALSE(workload.source->next().has_value());
  EXPECT_FALSE(workload.source->next().has_value());
}

TEST(PlainTrace, ReadsMeasuredRunsWithMoreColumns) {
  Folder folder;
  folder.write("t.csv", "arrival_s,input_tokens,output_tokens,ttft_s,e2e_s\n0.0,1010,128,0.07,1.65\n");
  const auto requests = draw(trace("t.csv"), folder.path());
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].input_tokens, 1010);
}

class SameAsPlain : public ::testing::TestWithParam<std::pair<const char*, std::string>> {};

TEST_P(SameAsPlain, InEveryWayTextComes) {
  Folder folder;
  folder.write("t.csv", GetParam().second);
  EXPECT_THAT(arrivals(draw(trace("t.csv"), folder.path())), ::testing::ElementsAre(0.5, 1.25)) << GetParam().first;
}

INSTANTIATE_TEST_SUITE_P(
    Text, SameAsPlain,
    ::testing::Values(
        std::pair("CRLF", std::string("arrival_s,input_tokens,output_tokens\r\n0.5,1,1\r\n1.25,1,1\r\n")),
        std::pair("no newline at the end", std::string("arrival_s,input_tokens,output_tokens\n0.5,1,1\n1.25,1,1")),
        std::pair("byte-order mark", std::string("\xEF\xBB\xBF"
                                                 "arrival_s,input_tokens,output_tokens\n0.5,1,1\n1.25,1,1\n")),
        std::pair("blank lines", std::string("arrival_s,input_tokens,output_tokens\n0.5,1,1\n\n1.25,1,1\n\n\n")),
        std::pair("blanks around fields",
                  std::string("arrival_s, input_tokens ,output_tokens\n 0.5, 1,1 \n1.25,\t1,1\n"))));

TEST(PlainTrace, GzipIsTheSame) {
  // Long enough for several buffers of the reader.
  std::string text = "arrival_s,input_tokens,output_tokens\n";
  for (int i = 0; i < 40'000; ++i) text += std::to_string(i) + "." + std::to_string(i % 10) + ",17,19\n";
  Folder folder;
  folder.write("t.csv", text);
  folder.write_gz("t.csv.gz", text);
  const auto a = draw(trace("t.csv"), folder.path()), b = draw(trace("t.csv.gz"), folder.path());
  ASSERT_EQ(a.size(), 40'000U);
  EXPECT_EQ(arrivals(a), arrivals(b));
}

TEST(TraceWindow, KeepsFromAndDropsTo) {
  Folder folder;
  folder.write("t.csv", plain);
  const auto requests = draw(trace("t.csv", "plain", R"(, "window_s": [1.25, 4])"), folder.path());
  EXPECT_THAT(arrivals(requests), ::testing::ElementsAre(0.0, 0.0));
  EXPECT_EQ(requests[0].id.value, 0U);
  EXPECT_EQ(requests[0].input_tokens, 200);
}

TEST(TraceWindow, RateScaleCompressesArrivals) {
  Folder folder;
  folder.write("t.csv", plain);
  EXPECT_THAT(arrivals(draw(trace("t.csv", "plain", R"(, "window_s": [1, 5])", R"(, "rate_scale": 2)"), folder.path())),
              ::testing::ElementsAre(0.125, 0.125, 1.5));
}

TEST(TraceWindow, StopsReadingAtItsEnd) {
  Folder folder;
  folder.write("t.csv", plain + "not a number,1,1\n");
  EXPECT_EQ(draw(trace("t.csv", "plain", R"(, "window_s": [0, 4])"), folder.path()).size(), 3U);
}

TEST(AzureTrace, StartsAtItsFirstRowAndCrossesMidnightAndMonth) {
  Folder folder;
  folder.write("t.csv",
               "TIMESTAMP,ContextTokens,GeneratedTokens\n"
               "2023-12-31 23:59:59.9999999,374,44\n"
               "2024-01-01 00:00:00.0000001,396,109\n"
               "2024-02-29 00:00:00.0000000,1,1\n"
               "2024-03-01 00:00:00.5000000,1,1\n");
  EXPECT_THAT(arrivals(draw(trace("t.csv", "azure-llm"), folder.path())),
              ::testing::ElementsAre(0.0, 2e-7, 59 * 86400.0 + 1e-7, 60 * 86400.0 + 0.5000001));
}

TEST(Timestamp, KnownInstants) {
  EXPECT_EQ(parse_timestamp_ns("1970-01-01 00:00:00"), 0);
  // date -u -d "2023-11-16 18:15:46" +%s = 1700158546
  EXPECT_EQ(parse_timestamp_ns("2023-11-16 18:15:46.6805900"), 1'700'158'546'680'590'000);
  EXPECT_EQ(parse_timestamp_ns("2024-05-10T00:00:00.009930+00:00"), 1'715'299'200'009'930'000);
  EXPECT_EQ(parse_timestamp_ns("2024-05-10T00:00:00Z"), 1'715'299'200'000'000'000);
}

TEST(Timestamp, RefusesWhatIsNone) {
  for (const char* text : {"", "2023-11-16", "2023-11-16 18:15", "2023-02-29 00:00:00", "2023-13-01 00:00:00",
                           "2023-11-16 24:00:00", "2023-11-16 18:60:00", "2023-11-16 18:15:60", "2023-11-16 18:15:46.",
                           "2023-11-16 18:15:46.1234567890", "2023-11-16 18:15:46 ", "2023-11-16 18:15:46+01:00",
                           "23-11-16 18:15:46", "1969-12-31 23:59:59", "2262-01-01 00:00:00", "2023-11-16_18:15:46"}) {
    EXPECT_FALSE(parse_timestamp_ns(text).has_value()) << text;
  }
}

TEST(AzureTrace, ReadsThePublishedFile) {
  const char* root = std::getenv("BRINK_SHARED_DATA");
  const std::string path = (root ? std::string(root) : std::string(BRINK_SOURCE_DIR) + "/../shared/data") +
                           "/traces/azure_llm_2023_conv_first30min.csv";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
  const auto requests = draw(trace(path, "azure-llm"));
  ASSERT_EQ(requests.size(), 10'108U);
  EXPECT_DOUBLE_EQ(requests[1].arrival.value(), 4.3145790);
  EXPECT_DOUBLE_EQ(requests.back().arrival.value(), 1799.8993510);
  std::int64_t input = 0, output = 0;
  for (const Request& r : requests) input += r.input_tokens, output += r.output_tokens;
  EXPECT_NEAR(static_cast<double>(input) / 10'108, 1243.250099, 1e-6);
  EXPECT_NEAR(static_cast<double>(output) / 10'108, 217.347349, 1e-6);
  // Ten minutes of it, five times as fast.
  const auto window = draw(trace(path, "azure-llm", R"(, "window_s": [600, 1200])", R"(, "rate_scale": 5)"));
  EXPECT_GT(window.size(), 2'500U);
  EXPECT_LT(window.back().arrival.value(), 120.0);
}

}  // namespace
}  // namespace brink::workload
