#include "sim/workload/trace_source.h"

#include "models/base/error.h"
#include "sim/workload/csv.h"

namespace brink::workload {

TraceSource::TraceSource(const std::string& path, std::unique_ptr<TraceFormat> format, TraceWindow window,
                         double rate_scale)
    : reader_(path), format_(std::move(format)), window_(window), rate_scale_(rate_scale) {
  std::string_view line;
  if (!reader_.next(line)) throw TraceError(path, 1, "the file is empty; a header line must come first");
  split_fields(line, fields_);
  try {
    format_->header(fields_);
  } catch (const Error& error) {
    throw TraceError(path, 1, error.what());
  }
  ahead_ = read();
}

bool TraceSource::read_row(TraceRow& row) {
  std::string_view line;
  do {
    if (!reader_.next(line)) return false;
  } while (line.empty());  // blank lines hold no request
  split_fields(line, fields_);
  try {
    row = format_->row(fields_);
    if (row.at < last_at_) throw Error("arrives before the row above it; rows must be in order of time");
  } catch (const Error& error) {
    throw TraceError(reader_.path(), reader_.line_number(), error.what());
  }
  last_at_ = row.at;
  return true;
}

std::optional<Request> TraceSource::read() {
  TraceRow row;
  while (!ended_) {
    if (!read_row(row) || row.at >= window_.to) {
      ended_ = true;
    } else if (row.at >= window_.from) {
      return Request{RequestId{next_id_++}, (row.at - window_.from) / rate_scale_, row.input_tokens, row.output_tokens};
    }
  }
  return std::nullopt;
}

std::optional<Request> TraceSource::next() {
  std::optional<Request> request = ahead_;
  if (request) ahead_ = read();
  return request;
}

}  // namespace brink::workload
