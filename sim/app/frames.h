// The wire format of the run server: one type byte, the payload's length as eight little-endian
// bytes, the payload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace brink::app {

/// Header of a frame with `length` bytes of payload.
[[nodiscard]] std::string frame_header(char type, std::uint64_t length);
[[nodiscard]] std::string encode_frame(char type, std::string_view payload);
/// An 'F' frame: u32 little-endian length of the name, the name, the content.
[[nodiscard]] std::string encode_file_frame(std::string_view name, std::string_view content);

struct Frame {
  char type = 0;
  std::string payload;
  std::uint64_t length = 0;   // announced; payload is empty when it was above the limit
  bool too_long = false;
};

/// Cuts a stream of bytes into frames. The payload of a frame above the limit is passed over
/// without being kept.
class FrameParser {
 public:
  explicit FrameParser(std::uint64_t payload_max) : payload_max_(payload_max) {}

  void add(std::string_view bytes);
  [[nodiscard]] bool empty() const { return frames_.empty(); }
  /// The oldest whole frame; one must be there.
  Frame take();
  /// Drops the whole frames of one type and says how many there were.
  std::size_t take_all(char type);
  [[nodiscard]] std::size_t waiting() const { return frames_.size(); }

 private:
  void begin_payload();

  std::uint64_t payload_max_;
  std::string header_;
  Frame frame_;
  std::uint64_t missing_ = 0;  // bytes of the payload still to come
  bool in_payload_ = false;
  std::deque<Frame> frames_;
};

}  // namespace brink::app
