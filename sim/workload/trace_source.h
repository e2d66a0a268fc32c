// Requests replayed from a trace file.
#pragma once

#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/workload/i_request_source.h"
#include "sim/workload/line_reader.h"
#include "sim/workload/trace_format.h"

namespace brink::workload {

/// Rows with from <= at < to are replayed; `from` becomes instant 0.
struct TraceWindow {
  Seconds from{0.0};
  Seconds to{std::numeric_limits<double>::infinity()};
};

class TraceSource final : public IRequestSource {
 public:
  /// Reads the header and up to the first request of the window, so that an unusable file
  /// shows at once. rate_scale > 1 compresses the arrivals. Throws Error, TraceError.
  TraceSource(const std::string& path, std::unique_ptr<TraceFormat> format, TraceWindow window, double rate_scale);

  std::optional<Request> next() override;

  [[nodiscard]] bool empty() const { return !ahead_ && next_id_ == 0; }
  /// The latest row read, on the trace's clock.
  [[nodiscard]] Seconds last_row_at() const { return last_at_; }

 private:
  std::optional<Request> read();
  bool read_row(TraceRow& row);

  LineReader reader_;
  std::unique_ptr<TraceFormat> format_;
  TraceWindow window_;
  double rate_scale_;
  std::vector<std::string_view> fields_;
  Seconds last_at_{0.0};
  bool ended_ = false;
  std::uint64_t next_id_ = 0;
  std::optional<Request> ahead_;
};

}  // namespace brink::workload
