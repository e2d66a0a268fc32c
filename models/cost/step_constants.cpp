#include "models/cost/step_constants.h"

#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "models/base/error.h"
#include "models/base/object_reader.h"

namespace brink::cost {

namespace {

constexpr std::int64_t minor_max = 1000;

// Takes a number off the front of `text`, and the dot behind it.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0 || value >= minor_max) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty() && text.front() == '.') text.remove_prefix(1);
  return value;
}

HostCost read_entry(const Json& json, const std::string& pointer) {
  ObjectReader reader(json, pointer);
  HostCost cost;
  cost.request = Seconds(reader.number("request_s", Range::between(0.0, 1.0, "s")));
  cost.schedule = Seconds(reader.number("schedule_s", Range::between(0.0, 0.1, "s")));
  cost.step_gap = Seconds(reader.number("step_gap_s", Range::between(0.0, 0.1, "s")));
  cost.stream_per_token = Seconds(reader.number("stream_per_token_s", Range::between(0.0, 0.01, "s")));
  cost.sampler_per_logit = Seconds(reader.number("sampler_per_logit_s", Range::between(0.0, 1e-6, "s")));
  reader.finish();
  return cost;
}

}  // namespace

InSitu InSitu::from_json(const Json& json, FlopsPerSecond sustained) {
  InSitu result;
  result.sustained_flops = sustained;
  if (json.is_null()) return result;
  ObjectReader reader(json, "/in_situ");
  result.attention_factor = reader.number("attention_factor", Range::between(0.5, 1.5));
  result.attention_overlap = Seconds(reader.number("attention_overlap_s", Range::between(0.0, 20e-6, "s")));
  result.sustained_flops = FlopsPerSecond(reader.number("sustained_flops", Range::positive("FLOP/s")));
  result.compiled_launch =
      Seconds(reader.number_or("compiled_launch_s", result.compiled_launch.value(), Range::between(0.0, 1e-3, "s")));
  result.eager_launch = Seconds(reader.number_or("eager_launch_s", result.eager_launch.value(), Range::between(0.0, 1e-3, "s")));
  reader.finish();
  return result;
}

std::int64_t version_order(const std::string& version) {
  std::string_view rest = version;
  const auto major = take_number(rest);
  const auto minor = rest.empty() ? std::optional<std::int64_t>(0) : take_number(rest);
  if (!major || !minor) {
    throw ConfigError("/engine/version", fmt::format("'{}'", version), "a version such as \"0.15\" or \"0.15.1\"");
  }
  return *major * minor_max + *minor;
}

HostCost host_cost(const Json& host, const std::string& engine, const std::string& version) {
  const Json* versions = host.is_object() ? host.find(engine) : nullptr;
  if (versions == nullptr || !versions->is_object() || versions->members().empty()) {
    std::vector<std::string> engines;
    if (host.is_object()) {
      for (const auto& [name, entries] : host.members()) engines.push_back(name);
    }
    throw ConfigError("/engine/name", fmt::format("'{}'", engine),
                      "an engine the profile has host constants for: " + allowed_names(engine, engines));
  }
  const std::int64_t wanted = version_order(version);
  const Json::Member* best = nullptr;
  for (const Json::Member& entry : versions->members()) {
    const std::int64_t order = version_order(entry.first);
    if (best == nullptr) {
      best = &entry;
      continue;
    }
    const std::int64_t held = version_order(best->first);
    // Not newer than asked for beats newer; then the newest not newer, or the oldest newer.
    const bool better = order <= wanted ? (held > wanted || order > held) : (held > wanted && order < held);
    if (better) best = &entry;
  }
  HostCost cost = read_entry(best->second, join_pointer(join_pointer("/host", engine), best->first));
  cost.version = best->first;
  cost.badge = version_order(best->first) == wanted ? Badge::measured : Badge::extrapolated;
  return cost;
}

}  // namespace brink::cost
