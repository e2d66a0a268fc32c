#include "sim/scenario/read_hypotheses.h"

#include <array>

namespace brink::scenario {

namespace {

template <bool Hypotheses::*flag>
struct Plain {
  static void set(ObjectReader&, Hypotheses& out) { out.*flag = true; }
  static Json get(const Hypotheses& h) { return h.*flag; }
};

void set_retransmit(ObjectReader& in, Hypotheses& out) {
  conditions::LateRankRetransmit rule;
  rule.threshold = milliseconds(in.number_or("threshold_ms", to_ms(rule.threshold), Range{0.0, 1e6, true, "ms"}));
  rule.retry = milliseconds(in.number_or("retry_ms", to_ms(rule.retry), Range{0.0, 1e6, false, "ms"}));
  out.timing.retransmit = rule;
}

Json get_retransmit(const Hypotheses& h) {
  if (!h.timing.retransmit) return false;
  Json out = Json::object();
  out.set("threshold_ms", to_ms(h.timing.retransmit->threshold));
  out.set("retry_ms", to_ms(h.timing.retransmit->retry));
  return out;
}

void set_spills(ObjectReader& in, Hypotheses& out) {
  conditions::RunTimeSpills rule;
  rule.gain = in.number_or("gain", rule.gain, Range{0.0, 0.9, true, "more lateness for each second of it"});
  out.timing.spills = rule;
}

Json get_spills(const Hypotheses& h) {
  if (!h.timing.spills) return false;
  Json out = Json::object();
  out.set("gain", h.timing.spills->gain);
  return out;
}

void set_eviction(ObjectReader& in, Hypotheses& out) {
  conditions::MidCollectiveEvictionSettings rule;
  rule.per_token = microseconds(in.number_or("per_token_us", to_us(rule.per_token), Range{0.0, 1e6, true, "us a recomputed token"}));
  out.kv_evicted_mid_collective = rule;
}

Json get_eviction(const Hypotheses& h) {
  if (!h.kv_evicted_mid_collective) return false;
  Json out = Json::object();
  out.set("per_token_us", to_us(h.kv_evicted_mid_collective->per_token));
  return out;
}

void set_threshold(ObjectReader& in, Hypotheses& out) {
  conditions::ForcedEvaporationSettings rule;
  rule.sequences_per_s = in.number_or("sequences_per_s", rule.sequences_per_s, Range{0.0, 1e9, true, "finished by one replica"});
  rule.hold = Seconds(in.number_or("hold_s", rule.hold.value(), Range{0.0, 1e6, true, "s"}));
  out.isr_threshold_512 = rule;
}

Json get_threshold(const Hypotheses& h) {
  if (!h.isr_threshold_512) return false;
  Json out = Json::object();
  out.set("sequences_per_s", h.isr_threshold_512->sequences_per_s);
  out.set("hold_s", h.isr_threshold_512->hold.value());
  return out;
}

struct Entry {
  const char* name;
  const char* claim;
  void (*set)(ObjectReader& parameters, Hypotheses& out);
  Json (*get)(const Hypotheses& hypotheses);  // false when off
};

// Adding one: a line here, its page in docs/hypotheses, a test of what it changes and that off means off.
constexpr std::array table = {
    Entry{"scalar_fp16_at_17", "a batch of 17 falls back to scalar FP16 kernels", Plain<&Hypotheses::scalar_fp16_at_17>::set,
          Plain<&Hypotheses::scalar_fp16_at_17>::get},
    Entry{"length_2047_changes_splits", "a context of 2047 tokens is split otherwise than one of 2048",
          Plain<&Hypotheses::length_2047_changes_splits>::set, Plain<&Hypotheses::length_2047_changes_splits>::get},
    Entry{"free_memory_changes_tactics", "kernel tactics follow the free memory of engines with a fixed workspace",
          Plain<&Hypotheses::free_memory_changes_tactics>::set, Plain<&Hypotheses::free_memory_changes_tactics>::get},
    Entry{"collectives_keep_order", "all-reduce never changes the order of a sum", Plain<&Hypotheses::collectives_keep_order>::set,
          Plain<&Hypotheses::collectives_keep_order>::get},
    Entry{"late_rank_is_retransmit", "a late rank makes the collective be sent again", set_retransmit, get_retransmit},
    Entry{"spills_at_run_time", "stalled warps make kernels spill registers", set_spills, get_spills},
    Entry{"kv_evicted_mid_collective", "one rank loses KV blocks while a collective runs", set_eviction, get_eviction},
    Entry{"per_rank_fragmentation_diverges", "the block tables of one engine's ranks fragment differently",
          Plain<&Hypotheses::per_rank_fragmentation_diverges>::set, Plain<&Hypotheses::per_rank_fragmentation_diverges>::get},
    Entry{"isr_threshold_512", "memory evaporates above 512 sequences a second", set_threshold, get_threshold},
};

void read_entry(ObjectReader& in, const Entry& entry, Hypotheses& out) {
  if (!in.has(entry.name)) return;
  const Json& value = in.value(entry.name);
  if (value.kind() == Json::Kind::boolean) {
    if (!value.as_bool()) return;
    const Json nothing = Json::object();
    ObjectReader defaults(nothing, in.pointer_to(entry.name));
    return entry.set(defaults, out);
  }
  if (!value.is_object()) throw in.error(entry.name, value.describe(), "allowed: true, false, or an object of its parameters");
  ObjectReader parameters = in.object(entry.name);
  entry.set(parameters, out);
  parameters.finish();
}

}  // namespace

std::vector<ActiveHypothesis> Hypotheses::active() const {
  std::vector<ActiveHypothesis> out;
  for (const Entry& entry : table) {
    const Json value = entry.get(*this);
    const bool off = value.kind() == Json::Kind::boolean && !value.as_bool();
    if (!off) out.push_back({entry.name, entry.claim, std::string("docs/hypotheses/") + entry.name + ".md"});
  }
  return out;
}

Hypotheses read_hypotheses(ObjectReader& scenario) {
  Hypotheses out;
  if (!scenario.has("hypotheses")) return out;
  ObjectReader in = scenario.object("hypotheses");
  for (const Entry& entry : table) read_entry(in, entry, out);
  in.finish();
  return out;
}

Json to_json(const Hypotheses& hypotheses) {
  Json out = Json::object();
  for (const Entry& entry : table) out.set(entry.name, entry.get(hypotheses));
  return out;
}

}  // namespace brink::scenario
