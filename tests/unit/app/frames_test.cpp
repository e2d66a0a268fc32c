#include "sim/app/frames.h"

#include <gtest/gtest.h>

namespace brink::app {
namespace {

TEST(Frames, AreATypeALittleEndianLengthAndThePayload) {
  EXPECT_EQ(encode_frame('R', "ab"), std::string("R\x02\0\0\0\0\0\0\0ab", 11));
  EXPECT_EQ(encode_file_frame("n", "xy"), std::string("F\x07\0\0\0\0\0\0\0\x01\0\0\0nxy", 16));
  EXPECT_EQ(frame_header('D', 0x0102030405060708ULL), std::string("D\x08\x07\x06\x05\x04\x03\x02\x01", 9));
}

TEST(Frames, ComeWholeOutOfAnyPieces) {
  const std::string stream = encode_frame('K', "") + encode_frame('R', "hello") + encode_frame('K', "");
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    FrameParser parser(100);
    for (std::size_t at = 0; at < stream.size(); at += piece) parser.add(std::string_view(stream).substr(at, piece));
    ASSERT_EQ(parser.waiting(), 3U) << piece;
    EXPECT_EQ(parser.take().type, 'K');
    EXPECT_EQ(parser.take().payload, "hello");
    EXPECT_EQ(parser.take().type, 'K');
  }
}

TEST(Frames, ATooLongOneIsAnnouncedAndPassedOver) {
  FrameParser parser(4);
  parser.add(encode_frame('R', "12345").substr(0, 10));  // announced before it is all there
  ASSERT_EQ(parser.waiting(), 1U);
  const Frame refused = parser.take();
  EXPECT_TRUE(refused.too_long);
  EXPECT_EQ(refused.length, 5U);
  parser.add("2345" + encode_frame('K', ""));
  ASSERT_EQ(parser.waiting(), 1U);
  EXPECT_EQ(parser.take().type, 'K');
}

}  // namespace
}  // namespace brink::app
