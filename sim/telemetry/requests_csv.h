// requests.csv: one row a request, in the order they ended.
#pragma once

#include <string>

#include "sim/serving/records.h"
#include "sim/telemetry/run_facts.h"

namespace brink::telemetry {

inline constexpr const char* requests_csv_header =
    "request_id,arrival_s,sent_s,queued_s,scheduled_s,first_token_s,finish_s,input_tokens,output_tokens,replica,"
    "preemptions,outcome,ttft_s,tpot_s,e2e_s,tenant,raw_input_tokens,cached_tokens,gpu_s,regime,plan_switches,"
    "drift_from_idle,drift_pairwise,first_flip_token,caused_delay_s,cause\n";

/// Appends the row of `record`; instants and latencies that do not exist and what is not followed are empty.
void append_request_row(std::string& out, const serving::RequestRecord& record, const Followed& followed);

}  // namespace brink::telemetry
