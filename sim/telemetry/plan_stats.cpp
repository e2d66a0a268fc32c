#include "sim/telemetry/plan_stats.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "sim/telemetry/load_bucket.h"

namespace brink::telemetry {

namespace {

double share_of(double part, double whole) { return whole > 0.0 ? part / whole : 0.0; }
double share_of(std::int64_t part, std::int64_t whole) {
  return share_of(static_cast<double>(part), static_cast<double>(whole));
}

const char* load_name(transformer::Rows rows, transformer::OperatorKind kind) {
  if (kind == transformer::OperatorKind::attention) return "decode_sequences";
  return rows == transformer::Rows::tokens ? "padded_tokens" : "sampled_rows";
}

}  // namespace

void PlanStats::add(const serving::StepRecord& record) {
  if (record.plan == nullptr || record.start < warmup_) return;
  const plan::ExecutionPlan& plan = *record.plan;
  const Seconds gpu = record.compute + record.comm + record.sync;
  all_ += {1, gpu};
  captured_ += plan.captured ? 1 : 0;
  switches_ += record.plan_switch ? 1 : 0;
  if (plan.tokens != nullptr) count(*plan.tokens, true, gpu);
  if (plan.sampled != nullptr) count(*plan.sampled, false, gpu);
  if (plan.decodes) count(plan.attention, record.decode_sequences, gpu);
}

void PlanStats::count(const plan::PlanPart& part, bool of_tokens, Seconds gpu) {
  if (part.number >= parts_.size()) parts_.resize(part.number + 1);
  std::optional<Part>& entry = parts_[part.number];
  if (!entry) entry = Part{part, of_tokens, {}};
  entry->share += {1, gpu};
}

void PlanStats::count(const plan::AttentionPlan& attention, std::int64_t sequences, Seconds gpu) {
  const plan::TacticId tactic = attention.choice.tactic_id;
  if (tactic >= attention_.size()) attention_.resize(tactic + 1);
  std::optional<Attention>& entry = attention_[tactic];
  if (!entry) entry = Attention{attention.choice, {}};
  const std::size_t load = load_bucket(sequences);
  if (load >= entry->by_load.size()) entry->by_load.resize(load + 1);
  entry->by_load[load] += {1, gpu};
}

PlanStats::Table PlanStats::table() const {
  Table out;
  const auto put = [&out](std::uint32_t op, std::size_t load, const plan::Choice& choice, const StepShare& share) {
    Row& row = out[{op, load, choice.tactic_id, choice.fallback}];
    row.choice = choice;
    row.share += share;
  };
  for (const std::optional<Part>& part : parts_) {
    if (!part) continue;
    for (std::size_t i = 0; i < part->plan.operators.size(); ++i) {
      put(part->plan.operators[i], load_bucket(part->plan.rows), part->plan.choices[i], part->share);
    }
  }
  const auto& operators = graph_.operators;
  const auto found = std::find_if(operators.begin(), operators.end(), [](const transformer::Operator& op) {
    return op.kind == transformer::OperatorKind::attention;
  });
  if (found == operators.end()) return out;
  const auto op = static_cast<std::uint32_t>(std::distance(operators.begin(), found));
  for (const std::optional<Attention>& attention : attention_) {
    if (!attention) continue;
    for (std::size_t load = 0; load < attention->by_load.size(); ++load) {
      if (attention->by_load[load].steps > 0) put(op, load, attention->choice, attention->by_load[load]);
    }
  }
  return out;
}

// Means over steps; a part's own value weighs its GEMMs by FLOP.
Json PlanStats::efficiency_json() const {
  double tile = 0.0, wave = 0.0;
  std::int64_t steps = 0;
  for (const std::optional<Part>& part : parts_) {
    if (!part || !part->of_tokens) continue;
    const auto n = static_cast<double>(part->share.steps);
    tile += n * part->plan.tile_efficiency;
    wave += n * part->plan.wave_efficiency;
    steps += part->share.steps;
  }
  const auto mean = [steps](double sum) { return steps > 0 ? Json(sum / static_cast<double>(steps)) : Json(); };
  Json out = Json::object();
  out.set("tile_mean", mean(tile));
  out.set("wave_mean", mean(wave));
  return out;
}

// Operators that fell back, each once a step.
Json PlanStats::fallbacks_json(const Table& table) const {
  std::map<plan::Fallback, std::int64_t> counts;
  for (const auto& [key, row] : table) {
    if (key.fallback != plan::Fallback::none) counts[key.fallback] += row.share.steps;
  }
  Json out = Json::object();
  for (const auto& [fallback, count] : counts) out.set(plan::name(fallback), count);
  return out;
}

Json PlanStats::operators_json(const Table& table) const {
  struct Total {
    std::map<plan::TacticId, std::int64_t> by_tactic;
    std::int64_t steps = 0, fallbacks = 0;
  };
  std::map<std::uint32_t, Total> totals;
  for (const auto& [key, row] : table) {
    Total& total = totals[key.op];
    total.by_tactic[key.tactic] += row.share.steps;
    total.steps += row.share.steps;
    if (key.fallback != plan::Fallback::none) total.fallbacks += row.share.steps;
  }
  Json out = Json::array();
  for (const auto& [op, total] : totals) {
    const auto modal = std::max_element(total.by_tactic.begin(), total.by_tactic.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
    Json& entry = out.push_back(Json::object());
    entry.set("operator", graph_.operators[op].name);
    entry.set("kind", transformer::kind_name(graph_.operators[op].kind));
    entry.set("tactics", static_cast<std::int64_t>(total.by_tactic.size()));
    entry.set("modal_tactic", names_[modal->first]);
    entry.set("modal_share", share_of(modal->second, total.steps));
    entry.set("fallback_share", share_of(total.fallbacks, total.steps));
  }
  return out;
}

Json PlanStats::json(Seconds end) const {
  const Table rows = table();
  const double window = (end - warmup_).value();
  const auto parts = [this](bool of_tokens) {
    return std::count_if(parts_.begin(), parts_.end(),
                         [of_tokens](const std::optional<Part>& part) { return part && part->of_tokens == of_tokens; });
  };
  Json out = Json::object();
  out.set("steps", all_.steps);
  out.set("switches", switches_);
  out.set("switches_per_s", window > 0.0 ? Json(static_cast<double>(switches_) / window) : Json());
  out.set("captured_share", all_.steps > 0 ? Json(share_of(captured_, all_.steps)) : Json());
  out.set("token_plans", static_cast<std::int64_t>(parts(true)));
  out.set("sampled_plans", static_cast<std::int64_t>(parts(false)));
  out.set("efficiency", efficiency_json());
  out.set("fallbacks", fallbacks_json(rows));
  out.set("operators", operators_json(rows));
  return out;
}

std::string PlanStats::csv() const {
  std::string out =
      "operator,kind,load,load_from,load_to,tactic_id,tactic,precision,repeatable,fallback,steps,load_share,gpu_share\n";
  const Table rows = table();
  std::map<std::pair<std::uint32_t, std::size_t>, std::int64_t> by_load;
  for (const auto& [key, row] : rows) by_load[{key.op, key.load}] += row.share.steps;
  auto to = std::back_inserter(out);
  for (const auto& [key, row] : rows) {
    const transformer::Operator& op = graph_.operators[key.op];
    fmt::format_to(to, "{},{},{},{},{},{},\"{}\",{},{},{},{},{:.6f},{:.6f}\n", op.name, transformer::kind_name(op.kind),
                   load_name(op.rows, op.kind), load_first(key.load), load_last(key.load), key.tactic, names_[key.tactic],
                   plan::name(row.choice.precision), row.choice.repeatable, plan::name(key.fallback), row.share.steps,
                   share_of(row.share.steps, by_load.at({key.op, key.load})),
                   share_of(row.share.gpu.value(), all_.gpu.value()));
  }
  return out;
}

}  // namespace brink::telemetry
