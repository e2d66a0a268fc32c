#include "sim/scenario/read_kv_consumers.h"

#include <string>
#include <variant>

#include <fmt/format.h>

namespace brink::scenario {

namespace {

using conditions::CheckpointSettings;
using conditions::ReplicationSettings;

/// Link and interval: what every consumer has.
template <class Settings>
void read_common(ObjectReader& in, const ConditionContext& context, Condition& out, Settings& s) {
  read_target(in, context, false, out);
  read_schedule(in, false, out);
  s.target = out.target;
  s.from = out.schedule.from;
  s.until = out.schedule.until;
  s.link = in.string_or("link", s.link);
  if (s.link.empty() || s.link.size() > 100) throw in.error("link", Json(s.link).describe(), "allowed: 1 to 100 characters");
  const double gb_per_s = in.number_or("gb_per_s", s.rate.value() / 1e9, Range{0.0, 1e6, true, "GB/s of each rank"});
  const double latency_us = in.number_or("latency_us", to_us(s.latency), Range{0.0, 1e9, false, "us"});
  s.rate = BytesPerSecond(1e9 * gb_per_s);
  s.latency = microseconds(latency_us);
  out.resolved.set("link", s.link);
  out.resolved.set("gb_per_s", gb_per_s);
  out.resolved.set("latency_us", latency_us);
}

template <class Settings>
void read_coordination(ObjectReader& in, Condition& out, Settings& s) {
  s.coordinated = in.choice_or("coordination", {"none", "budget"}, "none") == "budget";
  if (!s.coordinated && in.has("budget_ratio")) {
    throw in.error("budget_ratio", in.value("budget_ratio").describe(), "allowed: only with \"coordination\": \"budget\"");
  }
  s.budget_ratio = in.number_or("budget_ratio", s.budget_ratio, Range{0.0, 1.0, false, "of the KV pool"});
  out.resolved.set("coordination", s.coordinated ? "budget" : "none");
  out.resolved.set("budget_ratio", s.coordinated ? Json(s.budget_ratio) : Json());
}

template <class Settings>
double read_chunk(ObjectReader& in, Settings& s) {
  const double chunk = in.number_or("chunk_mib", s.chunk / mib(1), Range{0.0, 1e6, true, "MiB of each rank"});
  s.chunk = mib(chunk);
  return chunk;
}

/// The name it was given, else its kind; for the ledger.
std::string shown_name(const Condition& condition) {
  const Json* name = condition.resolved.find("name");
  return name != nullptr && name->is_string() ? name->as_string() : condition.kind;
}

template <class Settings>
Settings settings_of(const Condition& condition) {
  Settings out = std::get<Settings>(condition.settings);
  out.name = shown_name(condition);
  out.condition = condition.index;
  return out;
}

/// A link as one entry sees it.
struct Use {
  std::int32_t condition;
  conditions::Target target;
  std::string link;
  BytesPerSecond rate;
  Seconds latency;
};

template <class Settings>
void add_use(std::vector<Use>& uses, const Settings& s) {
  const Use use{s.condition, s.target, s.link, s.rate, s.latency};
  for (const Use& other : uses) {
    if (other.link != use.link || !other.target.meets(use.target)) continue;
    const std::string at = fmt::format("/conditions/{}", use.condition);
    const std::string whose = fmt::format("the same as /conditions/{}, which shares the link \"{}\"", other.condition, use.link);
    if (other.rate != use.rate) {
      throw ConfigError(at + "/gb_per_s", fmt::format("{:g}", use.rate.value() / 1e9),
                        fmt::format("{}: {:g}; or another link", whose, other.rate.value() / 1e9));
    }
    if (other.latency != use.latency) {
      throw ConfigError(at + "/latency_us", fmt::format("{:g}", to_us(use.latency)),
                        fmt::format("{}: {:g}; or another link", whose, to_us(other.latency)));
    }
  }
  uses.push_back(use);
}

}  // namespace

void read_replication(ObjectReader& in, const ConditionContext& context, Condition& out) {
  ReplicationSettings s;
  read_common(in, context, out, s);
  s.step_overhead = in.number_or("step_overhead", s.step_overhead, Range{0.0, 10.0, false, "of a step's GPU time"});
  out.resolved.set("step_overhead", s.step_overhead);
  read_coordination(in, out, s);
  if (!s.coordinated && in.has("chunk_mib")) {
    throw in.error("chunk_mib", in.value("chunk_mib").describe(), "allowed: only with \"coordination\": \"budget\"");
  }
  const double chunk = read_chunk(in, s);
  out.resolved.set("chunk_mib", s.coordinated ? Json(chunk) : Json());
  out.settings = s;
}

void read_checkpoint(ObjectReader& in, const ConditionContext& context, Condition& out) {
  CheckpointSettings s;
  read_common(in, context, out, s);
  s.period = Seconds(in.number_or("period_s", s.period.value(), Range{0.0, 1e12, true, "s"}));
  out.resolved.set("period_s", s.period.value());
  read_coordination(in, out, s);
  out.resolved.set("chunk_mib", read_chunk(in, s));
  out.settings = s;
}

conditions::KvConsumerSettings kv_consumer_settings(const std::vector<Condition>& all, const Hypotheses& hypotheses,
                                                    std::uint64_t seed) {
  conditions::KvConsumerSettings out;
  std::vector<Use> links;
  for (const Condition& condition : all) {
    if (std::holds_alternative<ReplicationSettings>(condition.settings)) {
      out.replications.push_back(settings_of<ReplicationSettings>(condition));
      add_use(links, out.replications.back());
    } else if (std::holds_alternative<CheckpointSettings>(condition.settings)) {
      out.checkpoints.push_back(settings_of<CheckpointSettings>(condition));
      add_use(links, out.checkpoints.back());
    }
  }
  out.forced_evaporation = hypotheses.isr_threshold_512;
  out.mid_collective_eviction = hypotheses.kv_evicted_mid_collective;
  if (out.mid_collective_eviction) out.mid_collective_eviction->seed = seed;
  return out;
}

}  // namespace brink::scenario
