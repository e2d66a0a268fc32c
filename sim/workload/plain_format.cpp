#include "models/base/error.h"
#include "sim/workload/csv.h"
#include "sim/workload/trace_format.h"

namespace brink::workload {

namespace {

constexpr std::string_view names[] = {"arrival_s", "input_tokens", "output_tokens"};

class PlainFormat final : public TraceFormat {
 public:
  void header(const std::vector<std::string_view>& columns) override {
    for (std::size_t i = 0; i < std::size(names); ++i) {
      if (i >= columns.size() || columns[i] != names[i]) {
        throw Error("got the columns '" + join_fields(columns) +
                    "'; the plain format is arrival_s,input_tokens,output_tokens and any columns after them");
      }
    }
    columns_ = columns.size();
  }

  TraceRow row(const std::vector<std::string_view>& fields) override {
    if (fields.size() != columns_) {
      throw Error("got " + std::to_string(fields.size()) + " fields; the header has " + std::to_string(columns_));
    }
    return {parse_seconds(fields[0], names[0]), parse_tokens(fields[1], names[1]), parse_tokens(fields[2], names[2])};
  }

 private:
  std::size_t columns_ = 0;
};

}  // namespace

std::unique_ptr<TraceFormat> make_plain_format() { return std::make_unique<PlainFormat>(); }

}  // namespace brink::workload
