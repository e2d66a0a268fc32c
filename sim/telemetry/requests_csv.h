// requests.csv: one row a request, in the order they ended.
#pragma once

#include <string>

#include "sim/serving/records.h"

namespace brink::telemetry {

inline constexpr const char* requests_csv_header =
    "request_id,arrival_s,sent_s,queued_s,scheduled_s,first_token_s,finish_s,input_tokens,output_tokens,replica,"
    "preemptions,outcome,ttft_s,tpot_s,e2e_s\n";

/// Appends the row of `record`; instants and latencies that do not exist are empty.
void append_request_row(std::string& out, const serving::RequestRecord& record);

}  // namespace brink::telemetry
