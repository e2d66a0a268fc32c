#include "calibrate/microkernel/tactics.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "models/base/error.h"

namespace brink::calibrate {
namespace {

using cost::GemmTactics;
using cost::GemmTacticTable;
using cost::GemmType;

constexpr double kGridShare = 0.75;             // of the shapes must have an m for the m to be on the grid
constexpr std::int64_t kComputeBound = 1024;    // rows from which a time may be continued in proportion

GemmType type_of(ObjectReader& params) {
  return params.choice("dtype", {"bf16", "e4m3"}) == "bf16" ? GemmType::bf16 : GemmType::fp8;
}

std::size_t index_of(std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  names.push_back(name);
  return names.size() - 1;
}

GemmTacticTable& table_of(GemmTactics& tactics, GemmType type, std::int64_t n, std::int64_t k, Bytes workspace) {
  for (GemmTacticTable& table : tactics.tables)
    if (table.type == type && table.n == n && table.k == k && table.workspace == workspace) return table;
  tactics.tables.push_back({type, n, k, workspace, {}, {}, {}, {}});
  return tactics.tables.back();
}

/// Runs [first, last, value...] of `width` integers. Values may be -1 (nothing fits).
std::vector<std::vector<std::int64_t>> read_runs(ObjectReader& metrics, std::size_t width) {
  std::vector<std::vector<std::int64_t>> runs;
  metrics.each("runs", [&](const Json& item, const std::string& pointer) {
    if (!item.is_array() || item.items().size() != width) throw ConfigError(pointer, item.describe(), fmt::format("{} integers", width));
    std::vector<std::int64_t>& run = runs.emplace_back();
    for (std::size_t i = 0; i < width; ++i) run.push_back(checked_integer(item.items()[i], join_pointer(pointer, i), Range::at_least(-1)));
    const std::int64_t after = runs.size() > 1 ? runs[runs.size() - 2][1] : 0;
    if (run[0] <= after || run[1] < run[0]) throw ConfigError(pointer, item.dump(), "[first, last, ...] ascending, without overlap");
  });
  return runs;
}

std::size_t checked_index(std::int64_t value, std::size_t size, const ObjectReader& metrics) {
  if (value < 0 || static_cast<std::size_t>(value) >= size) throw metrics.error("runs", std::to_string(value), fmt::format("an index below {}", size));
  return static_cast<std::size_t>(value);
}

void take_choice(GemmTactics& tactics, ObjectReader& params, ObjectReader& metrics) {
  GemmTacticTable& table = table_of(tactics, type_of(params), params.integer("n", Range::at_least(1)), params.integer("k", Range::at_least(1)),
                                    Bytes(params.number("workspace", Range::at_least(0.0))));
  std::vector<std::string> local;
  std::vector<bool> legal;
  metrics.each("tactics", [&](const Json& item, const std::string& pointer) {
    ObjectReader fields(item, pointer);
    fields.allow_unknown();
    local.push_back(fields.string("tactic"));
    legal.push_back(fields.has("algo"));
  });
  for (const auto& run : read_runs(metrics, 3)) {
    const std::size_t at = checked_index(run[2], local.size(), metrics);
    if (legal[at]) table.chosen.push_back({run[0], run[1], index_of(tactics.names, local[at])});
  }
}

void take_time(GemmTactics& tactics, const ResultPoint& point, ObjectReader& params, ObjectReader& metrics, std::int64_t largest) {
  const GemmType type = type_of(params);
  const std::int64_t n = params.integer("n", Range::at_least(1)), k = params.integer("k", Range::at_least(1)), m = params.integer("m", Range::at_least(1));
  const std::size_t tactic = index_of(tactics.names, params.string("tactic"));
  std::set<std::int64_t> workspaces;
  for (const double workspace : metrics.numbers("chosen_by")) workspaces.insert(static_cast<std::int64_t>(workspace));
  const bool alternative = workspaces.empty();
  if (alternative) workspaces.insert(largest);
  for (const std::int64_t workspace : workspaces) {
    GemmTacticTable& table = table_of(tactics, type, n, k, Bytes(static_cast<double>(workspace)));
    table.timed.push_back({m, tactic, point.median});
    // Beyond the rows that were asked one by one, the grid says what is chosen.
    const bool beyond = table.chosen.empty() || table.chosen.back().last < m;
    if (!alternative && beyond) table.chosen.push_back({m, m, tactic});
  }
}

/// "classes" and "runs" of a bit map: [first, last, tactic, class].
template <class Table>
void take_classes(Table& table, ObjectReader& metrics) {
  metrics.each("classes", [&](const Json& item, const std::string& pointer) {
    ObjectReader fields(item, pointer);
    fields.allow_unknown();
    table.classes.push_back({fields.number("changed", Range::between(0.0, 1.0)), fields.number("ulps", Range::at_least(0.0)),
                             fields.has("delta_max") ? fields.number("delta_max", Range::at_least(0.0)) : 0.0});
  });
  for (const auto& run : read_runs(metrics, 4)) {
    if (run[3] < 0) continue;  // no algorithm fits
    (void)checked_index(run[3], table.classes.size(), metrics);
    // The runner starts a run where the tactic changes; the bits may stay.
    auto& classes = table.bit_classes;
    if (!classes.empty() && classes.back().bits == run[3] && classes.back().last + 1 == run[0]) classes.back().last = run[1];
    else classes.push_back({run[0], run[1], run[3]});
  }
}

void take_bits(GemmTactics& tactics, ObjectReader& params, ObjectReader& metrics) {
  take_classes(table_of(tactics, type_of(params), params.integer("n", Range::at_least(1)), params.integer("k", Range::at_least(1)),
                        Bytes(params.number("workspace", Range::at_least(0.0)))), metrics);
}

void take_splits(GemmTactics& tactics, ObjectReader& params, ObjectReader& metrics) {
  cost::SplitBits splits;
  splits.query_heads = params.integer("heads_q", Range::at_least(1));
  splits.kv_heads = params.integer("heads_kv", Range::at_least(1));
  splits.head_dimension = params.integer("head_size", Range::at_least(1));
  splits.batch = params.integer("batch", Range::at_least(1));
  splits.context = params.integer("context", Range::at_least(1));
  take_classes(splits, metrics);
  tactics.attention.push_back(std::move(splits));
}

void take_norms(GemmTactics& tactics, const MicrokernelResults& results) {
  std::map<std::pair<std::int64_t, std::int64_t>, std::string> hashes;  // (hidden, threads) of the first token count
  std::map<std::int64_t, std::vector<std::string>> seen;
  results.each("norm", [&](const ResultPoint&, ObjectReader& params, ObjectReader& metrics) {
    const std::int64_t hidden = params.integer("hidden", Range::at_least(1)), threads = params.integer("block_threads", Range::at_least(1));
    const std::string hash = metrics.string("row0_hash") + metrics.string_or("row0_scale_hash", "");
    if (!hashes.emplace(std::pair(hidden, threads), hash).second) return;
    tactics.norms.push_back({hidden, threads, static_cast<std::int64_t>(index_of(seen[hidden], hash))});
  });
}

void order(GemmTactics& tactics) {
  std::sort(tactics.tables.begin(), tactics.tables.end(), [](const GemmTacticTable& a, const GemmTacticTable& b) {
    return std::tuple(a.type, a.n, a.k, a.workspace.value()) < std::tuple(b.type, b.n, b.k, b.workspace.value());
  });
  for (GemmTacticTable& table : tactics.tables) {
    std::stable_sort(table.chosen.begin(), table.chosen.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::stable_sort(table.timed.begin(), table.timed.end(), [](const auto& a, const auto& b) { return std::tuple(a.m, a.tactic) < std::tuple(b.m, b.tactic); });
  }
}

using Shape = std::pair<std::int64_t, std::int64_t>;
using ByM = std::map<std::int64_t, Seconds>;

/// Row counts that nearly every shape has.
std::vector<std::int64_t> grid_of(const std::map<Shape, ByM>& shapes) {
  std::map<std::int64_t, std::size_t> counts;
  for (const auto& shape : shapes)
    for (const auto& entry : shape.second) ++counts[entry.first];
  std::vector<std::int64_t> grid;
  for (const auto& [m, count] : counts)
    if (static_cast<double>(count) >= kGridShare * static_cast<double>(shapes.size())) grid.push_back(m);
  return grid;
}

void take_shape(GemmTimes& times, GemmType type, const Shape& shape, const ByM& by_m, const std::vector<std::int64_t>& grid) {
  const auto [n, k] = shape;
  const std::int64_t last = by_m.rbegin()->first;
  for (const std::int64_t m : grid) {
    const auto found = by_m.find(m);
    if (found != by_m.end()) {
      times.rows.push_back({type, m, n, k, found->second});
    } else if (m > last && last >= kComputeBound) {
      times.rows.push_back({type, m, n, k, by_m.rbegin()->second * (static_cast<double>(m) / static_cast<double>(last))});
      times.continued.push_back(fmt::format("m={} n={} k={}", m, n, k));
    }
  }
}

}  // namespace

cost::GemmTactics read_tactics(const MicrokernelResults& results) {
  GemmTactics tactics;
  const Json* version = results.header().document.find("cublaslt");
  tactics.library = version != nullptr && version->is_number() ? fmt::format("cublasLt {}", version->as_double()) : "cublasLt";
  std::int64_t largest = 0;
  results.each("gemm", [&](const ResultPoint&, ObjectReader& params, ObjectReader& metrics) {
    if (params.choice("what", {"choice", "time"}) != "choice") return;
    largest = std::max(largest, params.integer("workspace", Range::at_least(0)));
    take_choice(tactics, params, metrics);
  });
  results.each("gemm", [&](const ResultPoint& point, ObjectReader& params, ObjectReader& metrics) {
    if (params.string("what") == "time" && point.timed) take_time(tactics, point, params, metrics, largest);
  });
  results.each("gemm_bits", [&](const ResultPoint&, ObjectReader& params, ObjectReader& metrics) { take_bits(tactics, params, metrics); });
  results.each("attention", [&](const ResultPoint&, ObjectReader& params, ObjectReader& metrics) {
    if (params.string("what") == "bits") take_splits(tactics, params, metrics);
  });
  take_norms(tactics, results);
  order(tactics);
  return tactics;
}

GemmTimes read_gemm_times(const cost::GemmTactics& tactics) {
  std::map<GemmType, double> largest;  // workspace
  for (const GemmTacticTable& table : tactics.tables) largest[table.type] = std::max(largest[table.type], table.workspace.value());
  std::map<GemmType, std::map<Shape, ByM>> measured;
  for (const GemmTacticTable& table : tactics.tables) {
    if (table.workspace.value() != largest[table.type]) continue;
    for (const auto& entry : table.timed)
      if (table.tactic(entry.m) == entry.tactic) measured[table.type][{table.n, table.k}][entry.m] = entry.time;
  }
  // A tactic that a smaller workspace was offered first is timed there; under the largest it takes as long.
  for (const GemmTacticTable& table : tactics.tables) {
    const GemmTacticTable* full = tactics.find(table.type, table.n, table.k, Bytes(largest[table.type]));
    if (full == nullptr) continue;
    for (const auto& entry : table.timed)
      if (full->tactic(entry.m) == entry.tactic) measured[table.type][{table.n, table.k}].emplace(entry.m, entry.time);
  }
  GemmTimes times;
  for (const auto& [type, shapes] : measured) {
    const std::vector<std::int64_t> grid = grid_of(shapes);
    for (const auto& [shape, by_m] : shapes) take_shape(times, type, shape, by_m, grid);
  }
  return times;
}

}  // namespace brink::calibrate
