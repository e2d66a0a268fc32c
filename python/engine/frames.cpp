#include "python/engine/frames.h"

#include "models/base/error.h"

namespace brink::python {
namespace {

constexpr std::size_t header_bytes = 9;
// Above any result file (a week of requests.csv is a few GB) and below any misread text.
constexpr std::uint64_t payload_bytes_max = std::uint64_t{1} << 36;

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = (value << 8U) | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

}  // namespace

std::string encode_frame(char type, std::string_view payload) {
  std::string frame;
  frame.reserve(header_bytes + payload.size());
  frame.push_back(type);
  std::uint64_t length = payload.size();
  for (int i = 0; i < 8; ++i, length >>= 8U) {
    frame.push_back(static_cast<char>(length & 0xFFU));
  }
  frame.append(payload);
  return frame;
}

std::pair<std::string, std::string> decode_file(std::string&& payload) {
  if (payload.size() >= 4) {
    const std::uint64_t name_bytes = little_endian(std::string_view(payload).substr(0, 4));
    if (name_bytes <= payload.size() - 4) {
      std::string name = payload.substr(4, name_bytes);
      payload.erase(0, 4 + name_bytes);
      return {std::move(name), std::move(payload)};
    }
  }
  throw Error("the run server sent a result file whose lengths do not add up");
}

std::optional<Frame> FrameReader::next() {
  const std::size_t available = pending_.size() - begin_;
  if (available < header_bytes) {
    return std::nullopt;
  }
  const std::uint64_t length = little_endian(std::string_view(pending_).substr(begin_ + 1, 8));
  if (length > payload_bytes_max) {
    throw Error("the run server sent something that is not a frame");
  }
  if (available - header_bytes < length) {
    // Room for the rest of a large file at once, not by repeated growth.
    pending_.reserve(begin_ + header_bytes + length);
    return std::nullopt;
  }
  Frame frame{pending_[begin_], pending_.substr(begin_ + header_bytes, length)};
  begin_ += header_bytes + length;
  if (begin_ == pending_.size()) {
    pending_.clear();
    begin_ = 0;
  }
  return frame;
}

}  // namespace brink::python
