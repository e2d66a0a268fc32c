#include <optional>

#include "models/base/error.h"
#include "sim/workload/csv.h"
#include "sim/workload/timestamp.h"
#include "sim/workload/trace_format.h"

namespace brink::workload {

namespace {

class AzureLlmFormat final : public TraceFormat {
 public:
  void header(const std::vector<std::string_view>& columns) override {
    const std::vector<std::string_view> wanted = {"TIMESTAMP", "ContextTokens", "GeneratedTokens"};
    if (columns != wanted) {
      throw Error("got the columns '" + join_fields(columns) +
                  "'; the azure-llm format is exactly TIMESTAMP,ContextTokens,GeneratedTokens");
    }
  }

  TraceRow row(const std::vector<std::string_view>& fields) override {
    if (fields.size() != 3) throw Error("got " + std::to_string(fields.size()) + " fields; the header has 3");
    const auto at_ns = parse_timestamp_ns(fields[0]);
    if (!at_ns) {
      throw Error("TIMESTAMP: got '" + std::string(fields[0].substr(0, 40)) +
                  "'; YYYY-MM-DD HH:MM:SS with up to nine decimals, an existing date from 1970 to 2261");
    }
    if (!first_ns_) first_ns_ = *at_ns;
    // The difference of whole nanoseconds is exact; only its division rounds, once.
    const Seconds at(static_cast<double>(*at_ns - *first_ns_) / 1e9);
    return {at, parse_tokens(fields[1], "ContextTokens"), parse_tokens(fields[2], "GeneratedTokens")};
  }

 private:
  std::optional<std::int64_t> first_ns_;
};

}  // namespace

std::unique_ptr<TraceFormat> make_azure_llm_format() { return std::make_unique<AzureLlmFormat>(); }

}  // namespace brink::workload
