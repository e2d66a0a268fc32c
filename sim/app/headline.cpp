#include "sim/app/headline.h"

#include <fmt/format.h>

namespace brink::app {

namespace {

double number(const Json& object, const std::string& key) {
  const Json* found = object.find(key);
  return found != nullptr && found->is_number() ? found->as_double() : 0.0;
}

std::string milliseconds(const Json& summary, const std::string& key) {
  const Json* found = summary.find(key);
  return found != nullptr && found->is_number() ? fmt::format("{:10.2f}", found->as_double()) : fmt::format("{:>10}", "-");
}

/// What a reader must know before any number: results that rest on claims without evidence.
std::string banner(const Json& summary) {
  const Json* active = summary.find("hypotheses");
  if (active == nullptr || !active->is_array() || active->items().empty()) return {};
  std::string names;
  for (const Json& name : active->items()) names += (names.empty() ? "" : ", ") + (name.is_string() ? name.as_string() : name.dump());
  return "HYPOTHESES ACTIVE, which evidence does not support: " + names + "\n";
}

std::string slo_line(const Json& summary) {
  const Json* met = at_pointer(summary, "/slo/met");
  if (met == nullptr || met->kind() != Json::Kind::boolean) return {};
  return met->as_bool() ? "  SLO met\n" : "  SLO missed\n";
}

}  // namespace

std::string headline(const scenario::RunOutcome& outcome, const std::string& out) {
  const Json& summary = outcome.summary;
  std::string text = banner(summary);
  text += fmt::format("{:.0f} requests completed, {:.0f} failed in {:.1f} simulated s: {:.2f} req/s, {:.0f} output tok/s\n",
                      number(summary, "completed"), number(summary, "failed"), number(summary, "duration"),
                      number(summary, "request_throughput"), number(summary, "output_throughput"));
  text += fmt::format("  ms   {:>10}{:>10}{:>10}\n", "mean", "p50", "p99");
  for (const std::string metric : {"ttft", "tpot", "itl", "e2el"}) {
    text += fmt::format("  {:<5}", metric);
    for (const std::string statistic : {"mean", "p50", "p99"}) text += milliseconds(summary, statistic + "_" + metric + "_ms");
    const Json* badge = at_pointer(summary, "/badges/" + metric);
    if (badge != nullptr && badge->is_string()) text += "  " + badge->as_string();
    text += '\n';
  }
  text += fmt::format("  {} steps simulated in {:.3f} s: {:.0f} steps/s, {:.0f} times real time\n", outcome.steps,
                      outcome.wall.value(), static_cast<double>(outcome.steps) / outcome.wall.value(),
                      outcome.end / outcome.wall);
  return text + slo_line(summary) + "results: " + out + "\n";
}

}  // namespace brink::app
