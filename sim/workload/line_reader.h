// Lines of a text file, plain or gzip, one at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace brink::workload {

class LineReader {
 public:
  static constexpr std::size_t line_bytes_max = std::size_t{64} << 10;

  /// Throws Error when the file cannot be opened for reading.
  explicit LineReader(std::string path);

  /// The next line without its end (LF or CRLF) and, on line 1, without a byte-order mark.
  /// False at the end of the file. The view lives until the next call. Throws TraceError on
  /// a read error, damaged or cut-off gzip data, and lines over line_bytes_max.
  bool next(std::string_view& line);

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Number of the line next() gave last, from 1.
  [[nodiscard]] std::size_t line_number() const { return line_number_; }

 private:
  struct Closer {
    void operator()(void* file) const;
  };

  bool refill();

  std::string path_;
  std::unique_ptr<void, Closer> file_;  // a gzFile
  std::vector<char> buffer_;
  std::size_t position_ = 0, filled_ = 0;
  std::string line_;
  std::size_t line_number_ = 0;
};

}  // namespace brink::workload
