#include "sim/app/frames.h"

#include <algorithm>

namespace brink::app {

namespace {

constexpr std::size_t header_bytes = 9;

void append_little_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i, value >>= 8U) out.push_back(static_cast<char>(value & 0xFFU));
}

}  // namespace

std::string frame_header(char type, std::uint64_t length) {
  std::string out(1, type);
  append_little_endian(out, length, 8);
  return out;
}

std::string encode_frame(char type, std::string_view payload) {
  std::string out = frame_header(type, payload.size());
  out += payload;
  return out;
}

std::string encode_file_frame(std::string_view name, std::string_view content) {
  std::string out = frame_header('F', 4 + name.size() + content.size());
  out.reserve(out.size() + 4 + name.size() + content.size());
  append_little_endian(out, name.size(), 4);
  out += name;
  out += content;
  return out;
}

void FrameParser::begin_payload() {
  std::uint64_t length = 0;
  for (std::size_t i = header_bytes - 1; i > 0; --i) length = length << 8U | static_cast<unsigned char>(header_[i]);
  frame_ = Frame{header_.front(), {}, length, length > payload_max_};
  header_.clear();
  missing_ = length;
  in_payload_ = true;
}

void FrameParser::add(std::string_view bytes) {
  while (!bytes.empty() || (in_payload_ && missing_ == 0)) {
    if (!in_payload_) {
      const std::size_t take = std::min(bytes.size(), header_bytes - header_.size());
      header_ += bytes.substr(0, take);
      bytes.remove_prefix(take);
      if (header_.size() == header_bytes) begin_payload();
      // A frame too long is announced at once: its sender may be waiting for an answer.
      if (in_payload_ && frame_.too_long) frames_.push_back(frame_);
    } else {
      const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), missing_));
      if (!frame_.too_long) frame_.payload += bytes.substr(0, take);
      bytes.remove_prefix(take);
      missing_ -= take;
      if (missing_ == 0) {
        if (!frame_.too_long) frames_.push_back(std::move(frame_));
        in_payload_ = false;
      }
    }
  }
}

Frame FrameParser::take() {
  Frame out = std::move(frames_.front());
  frames_.pop_front();
  return out;
}

std::size_t FrameParser::take_all(char type) {
  return std::erase_if(frames_, [type](const Frame& frame) { return frame.type == type; });
}

}  // namespace brink::app
