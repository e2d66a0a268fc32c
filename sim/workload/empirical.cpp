#include "sim/workload/empirical.h"

#include <optional>
#include <string_view>

#include "models/base/error.h"
#include "sim/workload/csv.h"
#include "sim/workload/line_reader.h"

namespace brink::workload {

LengthTable::LengthTable(const std::string& path) {
  LineReader reader(path);
  std::string_view line;
  std::vector<std::string_view> fields;
  if (!reader.next(line)) throw TraceError(path, 1, "the file is empty; a header line must come first");
  split_fields(line, fields);
  const std::optional<std::size_t> input = column_of(fields, "input_tokens"),
                                   output = column_of(fields, "output_tokens");
  const std::size_t columns = fields.size();
  if (!input || !output) {
    throw TraceError(
        path, 1, "got the columns '" + join_fields(fields) + "'; input_tokens and output_tokens must be among them");
  }
  while (reader.next(line)) {
    if (line.empty()) continue;
    split_fields(line, fields);
    try {
      if (fields.size() != columns) {
        throw Error("got " + std::to_string(fields.size()) + " fields; the header has " + std::to_string(columns));
      }
      if (rows_.size() == rows_max) throw Error("more than " + std::to_string(rows_max) + " rows");
      rows_.emplace_back(static_cast<std::int32_t>(parse_tokens(fields[*input], "input_tokens")),
                         static_cast<std::int32_t>(parse_tokens(fields[*output], "output_tokens")));
    } catch (const Error& error) {
      throw TraceError(path, reader.line_number(), error.what());
    }
  }
  if (rows_.empty()) throw TraceError(path, reader.line_number() + 1, "the table has no rows");
}

}  // namespace brink::workload
