#include "sim/scenario/condition.h"

#include <limits>

#include <fmt/format.h>

namespace brink::scenario {

namespace {

/// A number below `count`, or "all".
std::int64_t read_member(ObjectReader& in, const char* key, const char* what, std::int64_t count, bool required) {
  if (!required && !in.has(key)) return conditions::Target::all;
  const Json& given = in.value(key);
  if (given.is_string() && given.as_string() == "all") return conditions::Target::all;
  const bool inside = given.kind() == Json::Kind::integer && given.as_integer() >= 0 && given.as_integer() < count;
  if (!inside) {
    const std::string numbers = count == 1 ? "0" : fmt::format("0 to {}", count - 1);
    throw in.error(key, given.describe(), fmt::format("allowed: \"all\" or a {} that exists: {}", what, numbers));
  }
  return given.as_integer();
}

Json member_json(std::int64_t member) { return member == conditions::Target::all ? Json("all") : Json(member); }

}  // namespace

void read_target(ObjectReader& in, const ConditionContext& context, bool with_rank, Condition& out) {
  out.target.replica = read_member(in, "replica", "replica", context.replicas, false);
  out.resolved.set("replica", member_json(out.target.replica));
  if (!with_rank) return;
  out.target.rank = read_member(in, "rank", "rank of the replica", context.ranks, true);
  out.resolved.set("rank", member_json(out.target.rank));
}

void read_schedule(ObjectReader& in, bool with_bursts, Condition& out) {
  constexpr double forever = std::numeric_limits<double>::infinity();
  conditions::Schedule& s = out.schedule;
  s.from = Seconds(in.number_or("from_s", 0.0, Range{0.0, 1e12, false, "s"}));
  s.until = Seconds(in.number_or("until_s", forever, Range{0.0, 1e12, true, "s"}));
  if (s.until <= s.from) {
    throw in.error("until_s", in.value("until_s").describe(), fmt::format("allowed: a number > from_s ({:g} s)", s.from.value()));
  }
  out.resolved.set("from_s", s.from.value());
  out.resolved.set("until_s", is_finite(s.until) ? Json(s.until.value()) : Json());
  if (!with_bursts) return;
  if (!in.has("period_s")) {
    if (in.has("duty")) throw in.error("duty", in.value("duty").describe(), "allowed: only with period_s, of which it is a share");
    out.resolved.set("period_s", Json());
    out.resolved.set("duty", Json());
    return;
  }
  s.period = Seconds(in.number("period_s", Range{0.0, 1e12, true, "s"}));
  const double duty = in.number("duty", Range{0.0, 1.0, true, "share of the period"});
  s.active = s.period * duty;
  out.resolved.set("period_s", s.period.value());
  out.resolved.set("duty", duty);
}

}  // namespace brink::scenario
