#include "sim/scenario/read_failures.h"

#include <limits>
#include <string>

#include <fmt/format.h>

#include "sim/scenario/condition.h"

namespace brink::scenario {

namespace {

std::int64_t below(ObjectReader& in, const char* key, std::int64_t count) {
  const std::int64_t number = in.integer(key, Range::at_least(0.0));
  if (number >= count) throw in.error(key, std::to_string(number), fmt::format("allowed: a {} that exists: below {}", key, count));
  return number;
}

/// "from_s" (required), "recovers_after_s" (never when absent), "on_failure".
void read_course(ObjectReader& in, Condition& out, FailureSettings& settings) {
  settings.at = Seconds(in.number("from_s", Range{0.0, 1e12, false, "s"}));
  out.resolved.set("from_s", settings.at.value());
  if (in.has("recovers_after_s")) settings.recovers_after = Seconds(in.number("recovers_after_s", Range{0.0, 1e12, true, "s"}));
  out.resolved.set("recovers_after_s", settings.recovers_after ? Json(settings.recovers_after->value()) : Json());
  const std::string course = in.choice_or("on_failure", {"retry", "fail"}, "retry");
  settings.on_failure = course == "fail" ? serving::OnFailure::fail : serving::OnFailure::retry;
  out.resolved.set("on_failure", course);
  out.schedule.from = settings.at;
  out.schedule.until = settings.recovers_after ? settings.at + *settings.recovers_after
                                               : Seconds(std::numeric_limits<double>::infinity());
}

}  // namespace

void read_replica_failure(ObjectReader& in, const ConditionContext& context, Condition& out) {
  FailureSettings settings;
  settings.replica = out.target.replica = below(in, "replica", context.replicas);
  out.resolved.set("replica", settings.replica);
  if (in.has("rank")) settings.rank = below(in, "rank", context.ranks);
  out.resolved.set("rank", settings.rank < 0 ? Json() : Json(settings.rank));
  read_course(in, out, settings);
  out.settings = settings;
}

void read_node_failure(ObjectReader& in, const ConditionContext& context, Condition& out) {
  FailureSettings settings;
  settings.node = below(in, "node", context.nodes);
  out.resolved.set("node", settings.node);
  read_course(in, out, settings);
  out.settings = settings;
}

}  // namespace brink::scenario
