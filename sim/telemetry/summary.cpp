#include "sim/telemetry/summary.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

namespace brink::telemetry {

namespace {

constexpr std::array<int, 4> percents = {50, 90, 95, 99};

/// request_rate is "inf" or a number, in vLLM's files as here.
Json rate_of(const std::string& text) {
  double rate = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(rate)) return Json(rate);
  return Json(text);
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

void add_header(Json& out, const RunFacts& facts, const RequestStats::Counts& counts) {
  // A date would make equal runs differ; it is there only when the caller says which.
  const Json* date = facts.provenance.is_object() ? facts.provenance.find("date") : nullptr;
  out.set("date", date ? *date : Json());
  out.set("endpoint_type", "simulated");
  out.set("backend", text_or_null(facts.engine));
  out.set("label", text_or_null(facts.name));
  out.set("model_id", text_or_null(facts.model_id));
  out.set("tokenizer_id", text_or_null(facts.model_id));
  out.set("num_prompts", counts.measured);  // vLLM leaves warm-up requests out, too
  out.set("request_rate", rate_of(facts.request_rate));
  out.set("burstiness", facts.burstiness);
  out.set("max_concurrency", facts.max_concurrency > 0 ? Json(facts.max_concurrency) : Json());
}

bool any_limit(const SloLimits& slo) {
  return !std::isnan(slo.ttft_p99_ms) || !std::isnan(slo.tpot_p99_ms) || !std::isnan(slo.e2el_p99_ms);
}

void add_totals(Json& out, const RunFacts& facts, const RequestStats& requests, double duration_s) {
  const RequestStats::Counts& counts = requests.counts();
  const auto per_second = [duration_s](std::int64_t count) {
    return duration_s > 0.0 ? Json(static_cast<double>(count) / duration_s) : Json();
  };
  out.set("duration", duration_s);
  out.set("completed", counts.completed);
  out.set("failed", counts.rejected + counts.cancelled + counts.lost);
  out.set("total_input_tokens", counts.input_tokens);
  out.set("total_output_tokens", counts.output_tokens);
  out.set("request_throughput", per_second(counts.completed));
  out.set("request_goodput", any_limit(facts.slo) ? per_second(counts.good) : Json());
  out.set("output_throughput", per_second(counts.output_tokens));
  out.set("total_token_throughput", per_second(counts.input_tokens + counts.output_tokens));
  out.set("max_output_tokens_per_s", requests.tokens_per_second_max());
  out.set("max_concurrent_requests", requests.in_flight_max());
}

/// Works for Samples and LogHistogram alike; values in seconds, keys in milliseconds.
template <class Sample>
void add_metric(Json& out, const std::string& metric, const Sample& sample) {
  const bool any = sample.count() > 0;
  const auto ms = [any](double seconds) { return any ? Json(seconds * 1e3) : Json(); };
  const std::string suffix = "_" + metric + "_ms";
  out.set("mean" + suffix, ms(sample.mean()));
  out.set("median" + suffix, ms(sample.quantile(0.5)));
  out.set("std" + suffix, ms(sample.stddev()));
  for (const int percent : percents) {
    out.set("p" + std::to_string(percent) + suffix, ms(sample.quantile(percent / 100.0)));
  }
}

void add_steps(Json& out, const RunFacts& facts, const RequestStats::Counts& counts, const StepStats& steps,
               Seconds end) {
  out.set("rejected", counts.rejected);
  out.set("cancelled", counts.cancelled);
  out.set("preemptions", counts.preemptions);
  out.set("replicas", facts.replicas);
  out.set("tensor_parallel_size", facts.tensor_parallel_size);
  out.set("gpus", facts.gpus);
  out.set("kv_blocks", facts.kv_blocks);
  out.set("kv_cache_usage_mean", steps.kv_usage_mean(end));
  out.set("kv_cache_usage_max", steps.kv_usage_max());
  Json& busy = out.set("gpu_busy_fraction", Json::array());
  for (std::size_t i = 0; i < steps.replicas(); ++i) busy.push_back(Json(steps.busy_fraction(i, end)));
  const LogHistogram& duration = steps.duration();
  out.set("steps", steps.steps());
  out.set("mean_decode_batch", steps.mean_decode_batch());
  out.set("step_ms_mean", duration.mean() * 1e3);
  out.set("step_ms_p50", duration.quantile(0.5) * 1e3);
  out.set("step_ms_p99", duration.quantile(0.99) * 1e3);
}

Json quantile_methods(const RequestStats& requests) {
  Json out = Json::object();
  out.set("ttft", requests.ttft().method());
  out.set("tpot", requests.tpot().method());
  out.set("itl", "log_histogram_0.1pct");
  out.set("e2el", requests.e2e().method());
  out.set("step", "log_histogram_0.1pct");
  return out;
}

Json badges(const StepStats& steps) {
  using cost::Badge;
  Json out = Json::object();
  const bool any = steps.steps() > 0;
  // Tokens after the first come from decode steps alone; every other figure has waited for all.
  for (const auto& [metric, decode_only] : {std::pair("ttft", false), std::pair("tpot", true), std::pair("itl", true),
                                            std::pair("e2el", false), std::pair("throughput", false)}) {
    out.set(metric, any ? Json(cost::name(steps.worst_badge(decode_only))) : Json());
  }
  Seconds total{0.0};
  constexpr std::array all = {Badge::measured, Badge::interpolated, Badge::extrapolated, Badge::hypothetical};
  for (const Badge badge : all) total += steps.badge_time(badge);
  Json& share = out.set("step_time_share", Json::object());
  for (const Badge badge : all) {
    share.set(cost::name(badge), total.value() > 0.0 ? Json(steps.badge_time(badge) / total) : Json());
  }
  return out;
}

Json slo_block(const SloLimits& slo, const RequestStats& requests) {
  Json limits = Json::object(), values = Json::object();
  bool met = true;
  const auto check = [&](const char* key, double limit_ms, const Samples& sample) {
    const double value_ms = sample.quantile(0.99) * 1e3;  // NaN when nothing completed
    limits.set(key, limit_ms);
    values.set(key, value_ms);
    if (!std::isnan(limit_ms) && !(value_ms <= limit_ms)) met = false;
  };
  check("ttft_p99_ms", slo.ttft_p99_ms, requests.ttft());
  check("tpot_p99_ms", slo.tpot_p99_ms, requests.tpot());
  check("e2el_p99_ms", slo.e2el_p99_ms, requests.e2e());
  Json out = Json::object();
  out.set("limits", std::move(limits));
  out.set("values", std::move(values));
  out.set("met", any_limit(slo) ? Json(met) : Json());
  return out;
}

}  // namespace

Json make_summary(const RunFacts& facts, const RequestStats& requests, const StepStats& steps, Seconds end,
                  Json sections) {
  Json out = Json::object();
  add_header(out, facts, requests.counts());
  add_totals(out, facts, requests, (end - Seconds(facts.warmup_s)).value());
  add_metric(out, "ttft", requests.ttft());
  add_metric(out, "tpot", requests.tpot());
  add_metric(out, "itl", requests.itl());
  add_metric(out, "e2el", requests.e2e());
  add_steps(out, facts, requests.counts(), steps, end);
  out.set("engine_version", text_or_null(facts.engine_version));
  out.set("warmup_s", facts.warmup_s);
  out.set("warmup_requests", requests.counts().seen - requests.counts().measured);
  out.set("measured_requests", requests.counts().measured);
  out.set("quantile_method", quantile_methods(requests));
  out.set("badges", badges(steps));
  out.set("slo", slo_block(facts.slo, requests));
  for (Json::Member& section : sections.members()) out.set(section.first, std::move(section.second));
  out.set("provenance", facts.provenance);
  return out;
}

}  // namespace brink::telemetry
