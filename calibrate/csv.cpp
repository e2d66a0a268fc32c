#include "calibrate/csv.h"

#include <zlib.h>

#include <array>
#include <charconv>
#include <cmath>
#include <memory>

#include "models/base/error.h"

namespace brink::calibrate {
namespace {

constexpr std::size_t kTextMax = std::size_t{1} << 30;  // a compressed bomb must not fill the memory

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> fields;
  std::size_t from = 0;
  while (true) {
    const std::size_t comma = line.find(',', from);
    if (comma == std::string_view::npos) break;
    fields.emplace_back(line.substr(from, comma - from));
    from = comma + 1;
  }
  fields.emplace_back(line.substr(from));
  return fields;
}

}  // namespace

std::string read_text(const std::string& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) throw Error("cannot read " + path + ": give a folder that holds the measurement tables");
  std::string text;
  std::array<char, 1 << 16> buffer{};
  while (true) {
    const int got = gzread(file.get(), buffer.data(), buffer.size());
    if (got < 0) throw Error("cannot decompress " + path + ": the file is damaged");
    if (got == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kTextMax) throw Error(path + ": larger than 1 GiB uncompressed");
  }
  // zlib reports a stream cut short only through its error state.
  int code = Z_OK;
  gzerror(file.get(), &code);
  if (code != Z_OK && code != Z_STREAM_END) throw Error("cannot decompress " + path + ": the file ends early");
  return text;
}

CsvTable CsvTable::read(const std::string& path) {
  CsvTable table;
  table.path_ = path;
  const std::string text = read_text(path);
  std::size_t line_number = 0, from = 0;
  while (from < text.size()) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    std::string_view line(text.data() + from, end - from);
    from = end + 1;
    ++line_number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) continue;
    std::vector<std::string> fields = split(line);
    if (table.columns_.empty()) {
      table.columns_ = std::move(fields);
      continue;
    }
    if (fields.size() != table.columns_.size())
      throw TraceError(path, line_number, std::to_string(fields.size()) + " fields; the header has " + std::to_string(table.columns_.size()));
    for (std::string& field : fields) table.cells_.push_back(std::move(field));
  }
  if (table.columns_.empty()) throw Error(path + ": no header line");
  return table;
}

std::size_t CsvTable::column(std::string_view name) const {
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (columns_[i] == name) return i;
  throw Error(path_ + ": no column '" + std::string(name) + "'; " + allowed_names(name, columns_));
}

double CsvTable::number(std::size_t row, std::size_t column) const {
  const std::string_view cell = text(row, column);
  double value = 0.0;
  const auto [end, code] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (code != std::errc() || end != cell.data() + cell.size() || !std::isfinite(value))
    throw TraceError(path_, row + 2, columns_[column] + ": got '" + std::string(cell) + "'; a finite number");
  return value;
}

std::int64_t CsvTable::integer(std::size_t row, std::size_t column) const {
  const std::string_view cell = text(row, column);
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (code != std::errc() || end != cell.data() + cell.size())
    throw TraceError(path_, row + 2, columns_[column] + ": got '" + std::string(cell) + "'; an integer");
  return value;
}

}  // namespace brink::calibrate
