// The wire format of `brink-sim --serve`: one type byte, the payload's length as eight
// little-endian bytes, the payload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace brink::python {

struct Frame {
  char type = 0;
  std::string payload;
};

/// Bytes of one frame.
[[nodiscard]] std::string encode_frame(char type, std::string_view payload);

/// Splits the payload of an 'F' frame (u32le name length, name, content).
/// Throws brink::Error when the lengths do not add up.
[[nodiscard]] std::pair<std::string, std::string> decode_file(std::string&& payload);

/// Assembles frames from the pieces a pipe delivers.
class FrameReader {
 public:
  void append(const char* data, std::size_t size) { pending_.append(data, size); }
  /// The next whole frame, if it has arrived. Throws brink::Error for a length above the limit:
  /// what speaks at the other end is then no run server.
  [[nodiscard]] std::optional<Frame> next();

 private:
  std::string pending_;
  std::size_t begin_ = 0;  // start of the first frame not handed out yet
};

}  // namespace brink::python
