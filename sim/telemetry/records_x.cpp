#include "sim/telemetry/records_x.h"

#include <algorithm>

#include <fmt/format.h>

#include "models/base/json.h"
#include "models/base/sha256.h"

namespace brink::telemetry {

namespace {

constexpr double sampled_share = 0.01;

Json ms_or_null(Seconds time) { return is_finite(time) ? Json(to_ms(time)) : Json(); }

/// Answers end where the workload says, with the most likely token each time.
Json decode_config(const serving::RequestRecord& record) {
  Json out = Json::object();
  out.set("temperature", 0);
  out.set("ignore_eos", true);
  out.set("max_tokens", record.outcome == serving::Outcome::completed ? Json(record.output_tokens) : Json());
  return out;
}

Json shaping_events(const serving::RequestRecord& record) {
  Json out = Json::array();
  if (record.truncation != nullptr) {
    out.push_back(fmt::format("truncate:{}:{}->{}", record.truncation, record.raw_input_tokens, record.input_tokens));
  }
  return out;
}

}  // namespace

std::string prompt_sha256(std::uint64_t seed, const serving::RequestRecord& record, std::int64_t tokens) {
  const bool pooled = record.prompt_text >= 0;
  return sha256_of(fmt::format("brink prompt: seed {}, {} {}, {} tokens", seed, pooled ? "text" : "request",
                               pooled ? static_cast<std::uint64_t>(record.prompt_text) : record.id.value, tokens));
}

bool XRecords::wants(RequestId id) const {
  return mode_ == RecordMode::full || (mode_ == RecordMode::sampled && sampling_.uniform({id.value}) < sampled_share);
}

void XRecords::add(const serving::RequestRecord& r, std::int64_t free_blocks) {
  // A record made without shaping states no raw length.
  const std::int64_t raw = std::max(r.raw_input_tokens, r.input_tokens);
  const std::string effective = prompt_sha256(facts_.seed, r, r.input_tokens);
  Json out = Json::object();
  out.set("req_id", r.id.value);
  out.set("raw_prompt_sha256", prompt_sha256(facts_.seed, r, raw));
  out.set("effective_text_sha256", effective);
  out.set("effective_tokens", r.input_tokens);
  out.set("truncated", r.truncation != nullptr);
  out.set("trunc_reason", r.truncation != nullptr ? Json(r.truncation) : Json());
  out.set("decode_cfg_applied", decode_config(r));
  out.set("shaping_events", shaping_events(r));
  // Only prompts of a pool can be found again.
  out.set("cache_key", r.prompt_text >= 0 ? Json(effective.substr(0, 16)) : Json());
  out.set("cached_tokens", r.cached_tokens);
  out.set("route_template", facts_.route.empty() ? Json() : Json(facts_.route));
  out.set("system_sha256", Json());
  out.set("policy_gates", Json::array_of(facts_.gates));
  out.set("admit_ms", ms_or_null(r.queued - r.sent));
  out.set("queue_ms", ms_or_null(r.scheduled - r.queued));
  out.set("gpu_ms", ms_or_null(r.gpu));
  const double free_mb = static_cast<double>(free_blocks) * (facts_.kv_block / mib(1.0));
  out.set("vram_watermark_mb", free_blocks >= 0 ? Json(free_mb) : Json());
  out.set("autotune", facts_.autotune);
  out.set("isolation_mode", facts_.isolation);
  out.set("tenant", static_cast<int>(r.tenant));
  out.set("outcome", serving::name(r.outcome));
  lines_ += out.dump();
  lines_ += '\n';
}

}  // namespace brink::telemetry
