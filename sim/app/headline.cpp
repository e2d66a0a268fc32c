#include "sim/app/headline.h"

#include <algorithm>
#include <utility>
#include <vector>

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

std::string plans_line(const Json& summary) {
  const Json* plans = summary.find("plans");
  if (plans == nullptr) return {};
  return fmt::format("  plans    {:.0f} switches, {:.1f} % of steps replay a CUDA graph\n", number(*plans, "switches"), 100.0 * number(*plans, "captured_share"));
}

/// The three longest.
std::string regimes_line(const Json& summary) {
  const Json* shares = at_pointer(summary, "/regimes/label_share");
  if (shares == nullptr) return {};
  std::vector<std::pair<double, std::string>> longest;
  for (const Json::Member& share : shares->members()) {
    if (share.second.is_number() && share.second.as_double() > 0.0) longest.emplace_back(share.second.as_double(), share.first);
  }
  std::stable_sort(longest.begin(), longest.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text;
  for (std::size_t i = 0; i < longest.size() && i < 3; ++i) {
    text += fmt::format("{}{} {:.1f} %", i == 0 ? "" : ", ", longest[i].second, 100.0 * longest[i].first);
  }
  return text.empty() ? text : "  regimes  " + text + " of replica time\n";
}

std::string drift_line(const Json& summary) {
  const Json* drift = summary.find("drift");
  const Json* idle = drift == nullptr ? nullptr : drift->find("divergence_from_idle");
  if (idle == nullptr || !idle->is_number()) return {};
  return fmt::format("  drift    {:.2f} % of answers differ from an idle system's, {:.2f} % between two runs under this load\n",
                     100.0 * idle->as_double(), 100.0 * number(*drift, "divergence_pairwise"));
}

std::string tails_line(const Json& summary) {
  std::string text;
  for (const std::string metric : {"ttft", "tpot", "e2el"}) {
    const Json* ratio = at_pointer(summary, "/p99_drift/" + metric + "/p99_ratio");
    if (ratio == nullptr || !ratio->is_number()) continue;
    text += fmt::format("{}{} {:.1f}", text.empty() ? "" : ", ", metric, ratio->as_double());
  }
  return text.empty() ? text : "  tails    p99 over that of the same requests alone: " + text + "\n";
}

/// The condition that delayed requests most.
std::string cascade_line(const Json& summary) {
  const Json* conditions = at_pointer(summary, "/cascades/conditions");
  if (conditions == nullptr || conditions->items().empty()) return {};
  const auto& all = conditions->items();
  const auto top = std::max_element(all.begin(), all.end(), [](const Json& a, const Json& b) { return number(a, "request_delay_s") < number(b, "request_delay_s"); });
  return fmt::format("  cascade  /conditions/{:.0f}: {:.2f} s at the root, {:.2f} s over {:.0f} requests\n", number(*top, "condition"),
                     number(*top, "delay_s"), number(*top, "request_delay_s"), number(*top, "requests_touched"));
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
  text += plans_line(summary) + regimes_line(summary) + drift_line(summary) + tails_line(summary) + cascade_line(summary);
  text += fmt::format("  {} steps simulated in {:.3f} s: {:.0f} steps/s, {:.0f} times real time\n", outcome.steps,
                      outcome.wall.value(), static_cast<double>(outcome.steps) / outcome.wall.value(),
                      outcome.end / outcome.wall);
  return text + slo_line(summary) + "results: " + out + "\n";
}

}  // namespace brink::app
