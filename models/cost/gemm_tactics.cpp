#include "models/cost/gemm_tactics.h"

#include <algorithm>
#include <charconv>

#include "models/base/error.h"
#include "models/cost/significant.h"

namespace brink::cost {
namespace {

constexpr double kRowsMax = 1e7;  // of one GEMM; a batch of millions of tokens is a mistake

/// An array of arrays, each of `width` integers from 0 up.
std::vector<std::vector<std::int64_t>> read_triples(ObjectReader& reader, std::string_view key, std::size_t width) {
  std::vector<std::vector<std::int64_t>> rows;
  reader.each(key, [&](const Json& item, const std::string& pointer) {
    if (!item.is_array() || item.items().size() != width) throw ConfigError(pointer, item.describe(), "an array of " + std::to_string(width) + " integers");
    std::vector<std::int64_t>& row = rows.emplace_back();
    for (std::size_t i = 0; i < width; ++i) row.push_back(checked_integer(item.items()[i], join_pointer(pointer, i), Range::between(0.0, kRowsMax)));
  });
  return rows;
}

void check_runs(const ObjectReader& reader, std::string_view key, const std::vector<std::vector<std::int64_t>>& runs) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const bool ordered = runs[i][0] >= 1 && runs[i][0] <= runs[i][1] && (i == 0 || runs[i][0] > runs[i - 1][1]);
    if (!ordered) throw reader.error(key, "run " + std::to_string(i) + " out of order", "[first, last, ...] ascending from 1, without overlap");
  }
}

template <class Runs>
auto run_of(const Runs& runs, std::int64_t m) {
  const auto after = std::upper_bound(runs.begin(), runs.end(), m, [](std::int64_t value, const auto& run) { return value < run.first; });
  return after == runs.begin() || std::prev(after)->last < m ? runs.end() : std::prev(after);
}

std::vector<GemmTacticTable::BitClass> read_bits(ObjectReader& reader) {
  const auto runs = read_triples(reader, "bit_classes", 3);
  check_runs(reader, "bit_classes", runs);
  std::vector<GemmTacticTable::BitClass> bits;
  for (const auto& run : runs) bits.push_back({run[0], run[1], run[2]});
  return bits;
}

std::vector<GemmTacticTable::ClassFacts> read_classes(ObjectReader& reader) {
  std::vector<GemmTacticTable::ClassFacts> classes;
  reader.each("classes", [&](const Json& item, const std::string& pointer) {
    ObjectReader fields(item, pointer);
    classes.push_back({fields.number("changed", Range::between(0.0, 1.0)), fields.number("ulps", Range::at_least(0.0)),
                       fields.number("delta_max", Range::at_least(0.0))});
    fields.finish();
  });
  return classes;
}

SplitBits read_splits(ObjectReader reader) {
  SplitBits splits;
  splits.query_heads = reader.integer("query_heads", Range::at_least(1));
  splits.kv_heads = reader.integer("kv_heads", Range::at_least(1));
  splits.head_dimension = reader.integer("head_dimension", Range::at_least(1));
  splits.batch = reader.integer("batch", Range::at_least(1));
  splits.context = reader.integer("context", Range::at_least(1));
  splits.bit_classes = read_bits(reader);
  splits.classes = read_classes(reader);
  reader.finish();
  return splits;
}

GemmTacticTable read_table(ObjectReader reader, std::size_t names) {
  GemmTacticTable table;
  const auto& types = gemm_type_names();
  const std::string type = reader.choice("type", types);
  table.type = static_cast<GemmType>(std::find(types.begin(), types.end(), type) - types.begin());
  table.n = reader.integer("n", Range::at_least(1));
  table.k = reader.integer("k", Range::at_least(1));
  table.workspace = Bytes(reader.number("workspace_bytes", Range::at_least(0.0, "B")));
  const auto index = [&](std::int64_t value, std::string_view key) {
    if (static_cast<std::size_t>(value) >= names) throw reader.error(key, "tactic " + std::to_string(value), "an index into /tactics/names");
    return static_cast<std::size_t>(value);
  };
  const auto chosen = read_triples(reader, "chosen", 3);
  check_runs(reader, "chosen", chosen);
  for (const auto& run : chosen) table.chosen.push_back({run[0], run[1], index(run[2], "chosen")});
  table.bit_classes = read_bits(reader);
  table.classes = read_classes(reader);
  const auto at = read_triples(reader, "timed", 2);
  const std::vector<double> times = reader.has("timed_us") ? reader.numbers("timed_us", Range::positive("us")) : std::vector<double>{};
  if (times.size() != at.size()) throw reader.error("timed_us", std::to_string(times.size()) + " times", "one for each of timed");
  for (std::size_t i = 0; i < at.size(); ++i) table.timed.push_back({at[i][0], index(at[i][1], "timed"), Seconds(times[i] * 1e-6)});
  reader.finish();
  return table;
}

Json row(const std::vector<std::int64_t>& values) { return Json::array_of(values); }

void write_bits(Json& json, const std::vector<GemmTacticTable::BitClass>& bits, const std::vector<GemmTacticTable::ClassFacts>& classes) {
  Json& runs = json.set("bit_classes", Json::array());
  for (const auto& run : bits) runs.push_back(row({run.first, run.last, run.bits}));
  if (classes.empty()) return;
  Json& list = json.set("classes", Json::array());
  for (const auto& facts : classes) {
    Json& item = list.push_back(Json::object());
    item.set("changed", round_significant(facts.changed, 5));
    item.set("ulps", round_significant(facts.ulps, 4));
    item.set("delta_max", round_significant(facts.delta_max, 4));
  }
}

Json splits_json(const SplitBits& splits) {
  Json json = Json::object();
  json.set("query_heads", splits.query_heads);
  json.set("kv_heads", splits.kv_heads);
  json.set("head_dimension", splits.head_dimension);
  json.set("batch", splits.batch);
  json.set("context", splits.context);
  write_bits(json, splits.bit_classes, splits.classes);
  return json;
}

Json table_json(const GemmTacticTable& table) {
  Json json = Json::object();
  json.set("type", gemm_type_names()[static_cast<std::size_t>(table.type)]);
  json.set("n", table.n);
  json.set("k", table.k);
  json.set("workspace_bytes", table.workspace.value());
  Json& chosen = json.set("chosen", Json::array());
  for (const auto& run : table.chosen) chosen.push_back(row({run.first, run.last, static_cast<std::int64_t>(run.tactic)}));
  write_bits(json, table.bit_classes, table.classes);
  Json timed = Json::array(), times = Json::array();
  for (const auto& entry : table.timed) {
    timed.push_back(row({entry.m, static_cast<std::int64_t>(entry.tactic)}));
    times.push_back(round_significant(entry.time.value() * 1e6, 5));
  }
  json.set("timed", std::move(timed));
  json.set("timed_us", std::move(times));
  return json;
}

}  // namespace

const std::vector<std::string>& gemm_type_names() {
  static const std::vector<std::string> names{"bf16", "fp8", "fp8_block"};  // in the order of GemmType
  return names;
}

std::optional<std::size_t> GemmTacticTable::tactic(std::int64_t m) const {
  const auto run = run_of(chosen, m);
  return run == chosen.end() ? std::nullopt : std::optional(run->tactic);
}

std::optional<std::int64_t> GemmTacticTable::bits(std::int64_t m) const {
  const auto run = run_of(bit_classes, m);
  return run == bit_classes.end() ? std::nullopt : std::optional(run->bits);
}

std::optional<Seconds> GemmTacticTable::time(std::int64_t m, std::size_t tactic) const {
  for (const Timed& entry : timed)
    if (entry.m == m && entry.tactic == tactic) return entry.time;
  return std::nullopt;
}

const GemmTacticTable* GemmTactics::find(GemmType type, std::int64_t n, std::int64_t k, Bytes workspace) const {
  for (const GemmTacticTable& table : tables)
    if (table.type == type && table.n == n && table.k == k && table.workspace == workspace) return &table;
  return nullptr;
}

std::int64_t GemmTactics::split_k(std::size_t tactic) const {
  const std::string& name = names.at(tactic);
  const std::size_t at = name.find("/k");
  std::int64_t splits = 1;
  if (at != std::string::npos) std::from_chars(name.data() + at + 2, name.data() + name.size(), splits);
  return std::max<std::int64_t>(splits, 1);
}

GemmTactics GemmTactics::from_json(ObjectReader reader) {
  GemmTactics tactics;
  tactics.library = reader.string("library");
  reader.each("names", [&](const Json& item, const std::string& pointer) { tactics.names.push_back(checked_string(item, pointer)); });
  reader.each("gemm", [&](const Json& item, const std::string& pointer) {
    tactics.tables.push_back(read_table(ObjectReader(item, pointer), tactics.names.size()));
  });
  for (const auto& row : read_triples(reader, "norms", 3)) tactics.norms.push_back({row[0], row[1], row[2]});
  reader.each("attention", [&](const Json& item, const std::string& pointer) { tactics.attention.push_back(read_splits(ObjectReader(item, pointer))); });
  reader.finish();
  return tactics;
}

Json GemmTactics::to_json() const {
  Json json = Json::object();
  json.set("library", library);
  json.set("names", Json::array_of(names));
  Json& list = json.set("gemm", Json::array());
  for (const GemmTacticTable& table : tables) list.push_back(table_json(table));
  Json& norm_list = json.set("norms", Json::array());
  for (const NormBits& norm : norms) norm_list.push_back(Json::array_of(std::vector<std::int64_t>{norm.hidden, norm.block_threads, norm.bits}));
  Json& split_list = json.set("attention", Json::array());
  for (const SplitBits& splits : attention) split_list.push_back(splits_json(splits));
  return json;
}

}  // namespace brink::cost
