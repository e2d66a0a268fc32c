#include "sim/telemetry/steps_jsonl.h"

#include <iterator>

#include <fmt/format.h>

namespace brink::telemetry {

void append_step_line(std::string& out, const serving::StepRecord& r) {
  auto to = std::back_inserter(out);
  fmt::format_to(to, R"({{"replica":{},"step":{},"start_s":{:.9f},"end_s":{:.9f},)", r.replica.value, r.step,
                 r.start.value(), r.end.value());
  fmt::format_to(to, R"("compute_ms":{:.6f},"comm_ms":{:.6f},"sync_ms":{:.6f},"host_ms":{:.6f},)", to_ms(r.compute),
                 to_ms(r.comm), to_ms(r.sync), to_ms(r.host));
  fmt::format_to(to, R"("decode_sequences":{},"prefill_tokens":{},"prefill_chunks":{},"padded_tokens":{},)",
                 r.decode_sequences, r.prefill_tokens, r.prefill_chunks, r.padded_tokens);
  fmt::format_to(to, R"("context_tokens":{},"running":{},"waiting":{},"kv_blocks_used":{},)", r.context_tokens,
                 r.running, r.waiting, r.kv_blocks_used);
  fmt::format_to(to, R"("preemptions":{},"tokens_out":{},"finished":{},"badge":"{}"}})", r.preemptions, r.tokens_out,
                 r.finished, cost::name(r.badge));
  out += '\n';
}

}  // namespace brink::telemetry
