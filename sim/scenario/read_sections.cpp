#include "sim/scenario/read_sections.h"

#include <algorithm>
#include <array>
#include <limits>

#include "sim/policy/i_router.h"

namespace brink::scenario {

namespace {

/// A policy section whose only policy is "none".
void refuse_policy(ObjectReader& in, const char* section, const char* what) {
  if (!in.has(section)) return;
  ObjectReader reader = in.object(section);
  if (reader.has("policy")) {
    const Json& policy = reader.value("policy");
    if (!policy.is_string() || policy.as_string() != "none") {
      throw reader.error("policy", policy.describe(), std::string("allowed: none; this version has no ") + what);
    }
  }
  reader.finish();
}

}  // namespace

std::string read_router(ObjectReader& in) {
  const std::vector<std::string> names = policy::router_names();
  if (!in.has("routing")) return names.front();
  ObjectReader reader = in.object("routing");
  std::string name = reader.choice_or("policy", names, names.front());
  reader.finish();
  return name;
}

telemetry::SloLimits read_slo(ObjectReader& in) {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  telemetry::SloLimits out{none, none, none};
  if (!in.has("slo")) return out;
  ObjectReader reader = in.object("slo");
  const Range range = Range::positive("ms");
  out.ttft_p99_ms = reader.number_or("ttft_p99_ms", none, range);
  out.tpot_p99_ms = reader.number_or("tpot_p99_ms", none, range);
  out.e2el_p99_ms = reader.number_or("e2el_p99_ms", none, range);
  reader.finish();
  return out;
}

const char* record_mode_name(telemetry::RecordMode mode) {
  constexpr std::array names = {"none", "sampled", "full"};
  return names[static_cast<std::size_t>(mode)];
}

telemetry::OutputOptions read_output(ObjectReader& in) {
  telemetry::OutputOptions out;
  out.ledger = true;
  if (!in.has("output")) return out;
  ObjectReader reader = in.object("output");
  out.requests = reader.boolean_or("requests", out.requests);
  out.steps = reader.boolean_or("steps", out.steps);
  out.timeline = reader.boolean_or("timeline", out.timeline);
  out.timeseries = reader.boolean_or("timeseries", out.timeseries);
  out.ledger = reader.boolean_or("ledger", out.ledger);
  const std::string records = reader.choice_or("records", {"none", "sampled", "full"}, "none");
  for (const auto mode : {telemetry::RecordMode::sampled, telemetry::RecordMode::full}) {
    if (records == record_mode_name(mode)) out.records = mode;
  }
  reader.finish();
  return out;
}

Seconds read_warmup(ObjectReader& in) {
  if (!in.has("measure")) return Seconds(0.0);
  ObjectReader reader = in.object("measure");
  const Seconds warmup(reader.number_or("warmup_s", 0.0, Range{0.0, 1e9, false, "s"}));
  reader.finish();
  return warmup;
}

void refuse_absent_sections(ObjectReader& in) {
  refuse_policy(in, "admission", "admission control: every request is queued");
  if (in.choice_or("fidelity", {"step", "rank"}, "step") == "rank") {
    throw in.error("fidelity", "the string \"rank\"", "allowed: step; this version does not simulate ranks one by one");
  }
}

std::string read_name(ObjectReader& in, const std::string& fallback) {
  std::string name = in.string_or("name", fallback);
  constexpr std::size_t length_max = 200;  // file systems allow 255 bytes, temporary names add a few
  const bool printable = std::none_of(name.begin(), name.end(), [](char c) { return c == '/' || static_cast<unsigned char>(c) < 0x20; });
  if (name.empty() || name.size() > length_max || name.front() == '.' || !printable) {
    throw in.error("name", Json(name).describe(),
                   "allowed: 1 to 200 characters without '/' that do not start with '.': it names the result folder");
  }
  return name;
}

}  // namespace brink::scenario
