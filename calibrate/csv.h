// Measurement tables: comma-separated text with a header line, plain or gzip-compressed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brink::calibrate {

/// A whole table in memory. Fields are unquoted text without commas.
class CsvTable {
 public:
  /// Throws Error when the file cannot be read, TraceError (with the line) when a row has another
  /// number of fields than the header.
  static CsvTable read(const std::string& path);

  [[nodiscard]] std::size_t rows() const { return columns_.empty() ? 0 : cells_.size() / columns_.size(); }
  /// Index of a column; throws Error naming the file and the columns it has.
  [[nodiscard]] std::size_t column(std::string_view name) const;
  [[nodiscard]] std::string_view text(std::size_t row, std::size_t column) const { return cells_[row * columns_.size() + column]; }
  /// Throws TraceError with the line when the cell is not a finite number (not an integer).
  [[nodiscard]] double number(std::size_t row, std::size_t column) const;
  [[nodiscard]] std::int64_t integer(std::size_t row, std::size_t column) const;

 private:
  std::string path_;
  std::vector<std::string> columns_;
  std::vector<std::string> cells_;
};

/// Content of a file, decompressed when it is gzip.
[[nodiscard]] std::string read_text(const std::string& path);

}  // namespace brink::calibrate
