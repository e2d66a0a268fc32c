#include "sim/scenario/read_conditions.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "sim/scenario/read_kv_consumers.h"
#include "sim/scenario/read_node_conditions.h"

namespace brink::scenario {

namespace {

struct Kind {
  const char* name;
  void (*read)(ObjectReader& in, const ConditionContext& context, Condition& out);
  bool alone;  // at most one of the kind acts on a GPU at a time
};

// Adding a kind: its reader, its settings in condition.h, one line here, one test.
constexpr std::array kinds = {
    Kind{"slow_rank", read_slow_rank, true},
    Kind{"stall", read_stall, true},
    Kind{"jitter", read_jitter, true},
    Kind{"throttle", read_throttle, true},
    Kind{"gpu_spread", read_gpu_spread, true},
    Kind{"replication", read_replication, false},
    Kind{"checkpoint", read_checkpoint, true},
    Kind{"replica_failure", read_replica_failure, true},
    Kind{"node_failure", read_node_failure, false},
};

std::string read_condition_name(ObjectReader& in) {
  if (!in.has("name")) return {};
  std::string name = in.string("name");
  const bool printable = std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
  if (name.empty() || name.size() > 100 || !printable) {
    throw in.error("name", Json(name).describe(), "allowed: 1 to 100 characters");
  }
  return name;
}

Condition read_condition(const Json& item, const std::string& at, std::int32_t index, const ConditionContext& context) {
  ObjectReader in(item, at);
  Condition out;
  out.index = index;
  out.kind = in.choice("kind", condition_kinds());
  const std::string name = read_condition_name(in);
  const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& k) { return k.name == out.kind; });
  kind->read(in, context, out);
  in.finish();
  // Fields are written in one order whatever order they came in, so equal conditions have equal names.
  out.name = name.empty() ? out.kind + " " + out.resolved.dump() : name;
  Json resolved = Json::object();
  resolved.set("kind", out.kind);
  resolved.set("name", name.empty() ? Json() : Json(name));
  for (const Json::Member& member : out.resolved.members()) resolved.set(member.first, member.second);
  out.resolved = std::move(resolved);
  return out;
}

std::string interval(const conditions::Schedule& s) {
  return is_finite(s.until) ? fmt::format("{:g} to {:g} s", s.from.value(), s.until.value()) : fmt::format("{:g} s on", s.from.value());
}

void check_against(const Condition& earlier, const Condition& later, const std::string& at) {
  if (earlier.name == later.name && later.resolved.find("name")->is_string()) {
    throw ConfigError(at + "/name", Json(later.name).describe(),
                      fmt::format("allowed: a name of its own; /conditions/{} has this one, and a name keys random draws", earlier.index));
  }
  const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& k) { return k.name == later.kind; });
  if (!kind->alone || earlier.kind != later.kind || !earlier.target.meets(later.target)) return;
  if (earlier.schedule.until <= later.schedule.from || later.schedule.until <= earlier.schedule.from) return;
  throw ConfigError(at, fmt::format("a {} at {} that meets /conditions/{} ({}) on one GPU", later.kind, interval(later.schedule),
                                    earlier.index, interval(earlier.schedule)),
                    "allowed: intervals of one kind that do not overlap on any GPU");
}

}  // namespace

std::vector<std::string> condition_kinds() {
  std::vector<std::string> names;
  for (const Kind& kind : kinds) names.emplace_back(kind.name);
  return names;
}

std::vector<Condition> read_conditions(ObjectReader& scenario, const ConditionContext& context) {
  constexpr std::size_t count_max = 1000;  // entries are compared with each other
  std::vector<Condition> out;
  scenario.each("conditions", [&](const Json& item, const std::string& at) {
    if (out.size() == count_max) throw ConfigError(at, "more entries", fmt::format("allowed: at most {} conditions", count_max));
    Condition condition = read_condition(item, at, static_cast<std::int32_t>(out.size()), context);
    for (const Condition& earlier : out) check_against(earlier, condition, at);
    out.push_back(std::move(condition));
  });
  return out;
}

Json to_json(const std::vector<Condition>& conditions) {
  Json out = Json::array();
  for (const Condition& condition : conditions) out.push_back(condition.resolved);
  return out;
}

}  // namespace brink::scenario
