#include "sim/workload/line_reader.h"

#include <zlib.h>

#include <cstring>
#include <filesystem>

#include "models/base/error.h"

namespace brink::workload {

namespace {

gzFile handle(void* file) { return static_cast<gzFile>(file); }

constexpr std::size_t buffer_bytes = std::size_t{128} << 10;

}  // namespace

void LineReader::Closer::operator()(void* file) const { gzclose_r(handle(file)); }

LineReader::LineReader(std::string path) : path_(std::move(path)), buffer_(buffer_bytes) {
  std::error_code ignored;
  if (!std::filesystem::exists(path_, ignored)) throw Error(path_ + ": no such file");
  if (std::filesystem::is_directory(path_, ignored)) throw Error(path_ + ": is a folder, not a file");
  // gzopen reads files without a gzip header as they are, so one path serves both.
  file_.reset(gzopen(path_.c_str(), "rb"));
  if (!file_) throw Error(path_ + ": cannot be opened for reading");
}

bool LineReader::refill() {
  const int got = gzread(handle(file_.get()), buffer_.data(), static_cast<unsigned>(buffer_.size()));
  // At the end of cut-off gzip data gzread returns what there is and leaves the error behind.
  int code = Z_OK;
  const char* message = gzerror(handle(file_.get()), &code);
  if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
    throw TraceError(path_, line_number_ + 1,
                     code == Z_BUF_ERROR ? "the gzip data is cut off" : std::string("cannot be read: ") + message);
  }
  position_ = 0;
  filled_ = static_cast<std::size_t>(got);
  return got > 0;
}

bool LineReader::next(std::string_view& line) {
  line_.clear();
  bool complete = false, any = false;
  while (!complete && (position_ < filled_ || refill())) {
    any = true;
    const char* begin = buffer_.data() + position_;
    const void* newline = std::memchr(begin, '\n', filled_ - position_);
    const std::size_t length =
        newline ? static_cast<std::size_t>(static_cast<const char*>(newline) - begin) : filled_ - position_;
    if (line_.size() + length > line_bytes_max) {
      throw TraceError(path_, line_number_ + 1, "the line is longer than " + std::to_string(line_bytes_max) + " bytes");
    }
    line_.append(begin, length);
    complete = newline != nullptr;
    position_ += length + (complete ? 1 : 0);
  }
  if (!any) return false;
  ++line_number_;
  line = line_;
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line_number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  return true;
}

}  // namespace brink::workload
