#include "calibrate/microkernel/results.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/base/error.h"
#include "tests/support/temp_path.h"

namespace brink::calibrate {
namespace {

using testing::HasSubstr;

const std::string kHeader = R"({"kind":"header","schema_version":1,"gpu":"GPU A","sm_count":132,"l2_bytes":52428800})";
const std::string kPoint = R"({"kind":"point","group":"hbm","key":"a","params":{"op":"read"},"median_s":1e-5,"metrics":{}})";

MicrokernelResults read(const std::string& text) {
  return MicrokernelResults::read(test::TempPath("results.jsonl", text).str());
}

/// The message of the error that reading `text` ends with.
std::string refusal(const std::string& text) {
  try {
    (void)read(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(MicrokernelResults, ReadsPoints) {
  const auto results = read(kHeader + "\n\n" + kPoint + "\n");
  EXPECT_EQ(results.header().gpu, "GPU A");
  EXPECT_EQ(results.header().sm_count, 132);
  ASSERT_EQ(results.points(), 1U);
  const ResultPoint& point = results.group("hbm").front();
  EXPECT_TRUE(point.timed);
  EXPECT_DOUBLE_EQ(point.median.value(), 1e-5);
  EXPECT_EQ(point.line, 3U);
  EXPECT_TRUE(results.group("l2").empty());
}

TEST(MicrokernelResults, AnUnfinishedLastLineIsLeftOut) {
  const auto results = read(kHeader + "\n" + kPoint + "\n" + R"({"kind":"point","group":"hb)");
  EXPECT_EQ(results.points(), 1U);
  ASSERT_EQ(results.notes().size(), 1U);
  EXPECT_THAT(results.notes().front(), HasSubstr("line 3 is unfinished"));
}

TEST(MicrokernelResults, ATornLineInsideIsAnErrorWithItsNumber) {
  const std::string message = refusal(kHeader + "\n" + R"({"kind":"point","group":"hb)" + "\n" + kPoint + "\n");
  EXPECT_THAT(message, HasSubstr("results.jsonl:2:"));
  EXPECT_THAT(message, HasSubstr("not a JSON object"));
}

TEST(MicrokernelResults, AHeaderComesFirst) {
  EXPECT_THAT(refusal(kPoint + "\n"), HasSubstr(":1: a point before the header"));
  EXPECT_THAT(refusal(""), HasSubstr("no header line"));
  EXPECT_THAT(refusal(R"({"kind":"header","schema_version":2,"gpu":"A","sm_count":1,"l2_bytes":1})" "\n"), HasSubstr("/schema_version: got 2"));
}

TEST(MicrokernelResults, AnUnknownGroupIsNamedWithTheNearest) {
  const std::string message = refusal(kHeader + "\n" + R"({"kind":"point","group":"gem","key":"a","params":{},"metrics":{}})" + "\n");
  EXPECT_THAT(message, HasSubstr(":2: /group"));
  EXPECT_THAT(message, HasSubstr("did you mean 'gemm'?"));
  EXPECT_THAT(refusal(kHeader + "\n" + R"({"kind":"pint","group":"gemm"})" + "\n"), HasSubstr("did you mean 'point'?"));
}

TEST(MicrokernelResults, TimesAreFiniteAndPositive) {
  for (const std::string time : {"NaN", "0", "-1e-6", "1e400", "\"fast\""}) {
    const std::string message = refusal(kHeader + "\n" + R"({"kind":"point","group":"hbm","key":"a","params":{},"median_s":)" + time + R"(,"metrics":{}})" + "\n");
    EXPECT_THAT(message, HasSubstr("results.jsonl:2:")) << time;
  }
}

TEST(MicrokernelResults, OneTypeOfGpuAFile) {
  const std::string other = R"({"kind":"header","schema_version":1,"gpu":"GPU B","sm_count":108,"l2_bytes":41943040})";
  EXPECT_THAT(refusal(kHeader + "\n" + kPoint + "\n" + other + "\n"), HasSubstr(":3: measured on 'GPU B' (108 SMs), the lines above on 'GPU A' (132 SMs)"));
  EXPECT_EQ(read(kHeader + "\n" + kPoint + "\n" + kHeader + "\n").points(), 1U);  // a resumed run
}

TEST(MicrokernelResults, AWrongOutputIsNoMeasurement) {
  const std::string wrong = R"({"kind":"point","group":"hbm","key":"a","params":{},"median_s":1e-5,"verified":false,"metrics":{}})";
  EXPECT_THAT(refusal(kHeader + "\n" + wrong + "\n"), HasSubstr("/verified: got false"));
}

TEST(MicrokernelResults, FailuresBecomeNotesAndRetriesReplace) {
  const std::string failed = R"({"kind":"failed","group":"l2","key":"b","params":{},"reason":"out of luck"})";
  std::string slower = kPoint;
  slower.replace(slower.find("1e-5"), 4, "2e-5");
  const auto results = read(kHeader + "\n" + failed + "\n" + kPoint + "\n" + slower + "\n");
  ASSERT_EQ(results.group("hbm").size(), 1U);
  EXPECT_DOUBLE_EQ(results.group("hbm").front().median.value(), 2e-5);
  ASSERT_EQ(results.notes().size(), 1U);
  EXPECT_THAT(results.notes().front(), HasSubstr("l2 failed: 1 points, the first: out of luck"));
}

TEST(MicrokernelResults, ASucceededRetryIsNoFailureAndTheEndTellsWhatIsLeft) {
  const std::string failed = R"({"kind":"failed","group":"hbm","key":"a","reason":"hung"})";
  const std::string note = R"({"kind":"note","group":"hbm","reason":"the clock moved"})";
  const auto end = [](int left) { return R"({"kind":"end","measured":1,"failed":0,"left":)" + std::to_string(left) + "}\n"; };
  const auto results = read(kHeader + "\n" + failed + "\n" + kPoint + "\n" + note + "\n" + end(12));
  ASSERT_EQ(results.notes().size(), 2U);
  EXPECT_EQ(results.notes()[0], "hbm: the clock moved");
  EXPECT_THAT(results.notes()[1], HasSubstr("12 points were left"));
  EXPECT_TRUE(read(kHeader + "\n" + kPoint + "\n" + end(12) + kHeader + "\n" + end(0)).notes().empty());  // resumed to the end
}

TEST(MicrokernelResults, AFieldsErrorNamesItsLine) {
  const auto results = read(kHeader + "\n" + kPoint + "\n");
  try {
    results.each("hbm", [](const ResultPoint&, ObjectReader& params, ObjectReader&) { (void)params.number("bytes"); });
    FAIL() << "accepted";
  } catch (const TraceError& error) {
    EXPECT_THAT(error.what(), HasSubstr("results.jsonl:2: /params/bytes"));
  }
}

}  // namespace
}  // namespace brink::calibrate
