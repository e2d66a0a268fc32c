// Role: turns the rows of one trace format into requests. One file a format; the table of
// known names is in trace_format.cpp.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/base/units.h"

namespace brink::workload {

struct TraceRow {
  Seconds at;  // on the trace's own clock, see each format
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
};

class TraceFormat {
 public:
  virtual ~TraceFormat() = default;
  /// Checks the column names of line 1. Throws Error (the caller adds file and line).
  virtual void header(const std::vector<std::string_view>& columns) = 0;
  /// One row. Throws Error.
  virtual TraceRow row(const std::vector<std::string_view>& fields) = 0;
};

/// `arrival_s,input_tokens,output_tokens` and any columns after them; seconds as written.
[[nodiscard]] std::unique_ptr<TraceFormat> make_plain_format();
/// `TIMESTAMP,ContextTokens,GeneratedTokens` (Azure LLM inference dataset 2023); seconds from the first row.
[[nodiscard]] std::unique_ptr<TraceFormat> make_azure_llm_format();

/// The format of that name. Throws ConfigError at `pointer` for names that are unknown or
/// that this version does not read.
[[nodiscard]] std::unique_ptr<TraceFormat> make_trace_format(const std::string& name, const std::string& pointer);

}  // namespace brink::workload
