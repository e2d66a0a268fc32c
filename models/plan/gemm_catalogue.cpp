#include "models/plan/gemm_catalogue.h"

#include <algorithm>
#include <array>
#include <map>

#include "models/base/error.h"
#include "models/base/object_reader.h"

namespace brink::plan {
namespace {

constexpr double kTileMax = 1024;   // no tensor-core tile is larger
constexpr double kClusterMax = 16;  // thread blocks of a cluster (CUDA C++ Programming Guide, non-portable limit)
constexpr double kSplitMax = 1024;
constexpr double kDepthMax = 65536;  // elements of k

std::string sourced(ObjectReader& reader) {
  std::string source = reader.string("source");
  if (source.empty()) throw reader.error("source", "an empty string", "where the object comes from");
  return source;
}

/// An array of `count` integers in [1, max].
std::vector<std::int64_t> sizes(const Json& value, const std::string& pointer, std::size_t count, double max) {
  if (value.kind() != Json::Kind::array || value.items().size() != count)
    throw ConfigError(pointer, value.describe(), "an array of " + std::to_string(count) + " integers");
  std::vector<std::int64_t> result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back(checked_integer(value.items()[i], join_pointer(pointer, i), Range::between(1, max)));
  return result;
}

GemmTile read_tile(ObjectReader reader) {
  GemmTile tile;
  const auto shape = sizes(reader.value("tile"), reader.pointer_to("tile"), 2, kTileMax);
  tile.features = shape[0];
  tile.tokens = shape[1];
  tile.token_rows = reader.choice("rows", {"features", "tokens"}) == "tokens";
  tile.stages = reader.integer("stages", Range::between(1, 64));
  reader.each("clusters", [&](const Json& item, const std::string& pointer) {
    const auto cluster = sizes(item, pointer, 2, kClusterMax);
    tile.clusters.push_back({cluster[0], cluster[1]});
  });
  if (tile.clusters.empty()) throw reader.error("clusters", "none", "at least [1, 1]");
  reader.finish();
  return tile;
}

using TileSets = std::map<std::string, std::vector<GemmTile>>;

TileSets read_tile_sets(ObjectReader& reader) {
  TileSets sets;
  reader.each("tile_sets", [&](const Json& item, const std::string& pointer) {
    ObjectReader set(item, pointer);
    const std::string name = set.string("name");
    sourced(set);
    std::vector<GemmTile>& tiles = sets[name];
    if (!tiles.empty()) throw set.error("name", "a second '" + name + "'", "names that differ");
    set.each("tiles",
             [&](const Json& tile, const std::string& at) { tiles.push_back(read_tile(ObjectReader(tile, at))); });
    if (tiles.empty()) throw set.error("tiles", "none", "at least one tile");
    set.finish();
  });
  return sets;
}

std::vector<SplitReduction> read_reductions(ObjectReader& reader) {
  std::vector<SplitReduction> reductions;
  reader.each("reductions", [&](const Json& item, const std::string& pointer) {
    ObjectReader fields(item, pointer);
    SplitReduction reduction;
    reduction.name = fields.choice("name", {"compute_type", "output_type", "inplace"});
    reduction.partials = fields.choice("partials", {"fp32", "int32", "bf16", "fp16"});
    reduction.partial_bytes = reduction.partials == "fp32" || reduction.partials == "int32" ? 4 : 2;
    reduction.deterministic = fields.boolean("deterministic");
    fields.finish();
    reductions.push_back(reduction);
  });
  return reductions;
}

Precision read_precision(ObjectReader& reader) {
  constexpr std::array known = {Precision::fp32, Precision::tf32, Precision::bf16,
                                Precision::fp16, Precision::fp8,  Precision::int8};
  std::vector<std::string> names;
  for (const Precision precision : known) names.emplace_back(name(precision));
  const std::string got = reader.choice("precision", names);
  return known[static_cast<std::size_t>(std::find(names.begin(), names.end(), got) - names.begin())];
}

GemmFamily read_family(ObjectReader reader, const TileSets& sets) {
  GemmFamily family;
  family.name = reader.string("name");
  family.precision = read_precision(reader);
  family.mma = reader.string("mma");
  family.exact = reader.boolean_or("exact", false);
  family.promotion = reader.integer_or("promotion_interval", 0, Range::between(0, kDepthMax));
  family.element_bytes = reader.integer("element_bytes", Range::between(1, 8));
  family.mma_per_cycle = reader.number("mma_per_sm_cycle", Range::positive());
  family.align_n = reader.integer("align_n", Range::between(1, kDepthMax));
  family.align_k = reader.integer("align_k", Range::between(1, kDepthMax));
  family.k_step = reader.integer("k_step", Range::between(1, kDepthMax));
  reader.each("splits", [&](const Json& item, const std::string& pointer) {
    const std::int64_t split = checked_integer(item, pointer, Range::between(1, kSplitMax));
    const bool ascends = family.splits.empty() ? split == 1 : split > family.splits.back();
    if (!ascends || family.splits.size() == GemmFamily::kSplitsMax)
      throw ConfigError(pointer, std::to_string(split), "at most 64 splits, ascending from 1");
    family.splits.push_back(split);
  });
  if (family.splits.empty()) throw reader.error("splits", "none", "at most 64 splits, ascending from 1");
  family.reductions = read_reductions(reader);
  if (family.splits.size() > 1 && family.reductions.empty())
    throw reader.error("reductions", "none", "how the partial sums of a split meet");
  const std::string set = reader.string("tiles");
  const auto tiles = sets.find(set);
  if (tiles == sets.end()) {
    std::vector<std::string> names;
    for (const auto& entry : sets) names.push_back(entry.first);
    throw reader.error("tiles", "'" + set + "'", allowed_names(set, names));
  }
  family.tiles = tiles->second;
  reader.finish();
  return family;
}

GemmMachine read_machine(ObjectReader reader) {
  GemmMachine machine;
  sourced(reader);
  machine.sm_count = reader.integer("sm_count", Range::between(1, 1e5));
  machine.clock = Hertz(reader.number("clock_hz", Range::positive("Hz")));
  machine.hbm = BytesPerSecond(reader.number("hbm_bytes_per_s", Range::positive("B/s")));
  machine.operand_bytes_per_cycle = reader.number("operand_bytes_per_sm_cycle", Range::positive("B"));
  machine.shared_bytes_per_cycle = reader.number("shared_bytes_per_sm_cycle", Range::positive("B"));
  machine.mma_efficiency = reader.number("mma_efficiency", Range{0.0, 1.0, true, {}});
  machine.launch = microseconds(reader.number("launch_us", Range::at_least(0.0, "us")));
  machine.tile_fixed = microseconds(reader.number("tile_fixed_us", Range::at_least(0.0, "us")));
  machine.reduction_fixed = microseconds(reader.number("reduction_fixed_us", Range::at_least(0.0, "us")));
  machine.reduction_rate = BytesPerSecond(reader.number("reduction_bytes_per_s", Range::positive("B/s")));
  machine.scalar = FlopsPerSecond(reader.number("scalar_flop_per_s", Range::positive("FLOP/s")));
  reader.finish();
  return machine;
}

}  // namespace

GemmCatalogue GemmCatalogue::from_json(const Json& document) {
  ObjectReader reader(document, "");
  reader.integer("schema_version", Range::between(1, 1));
  GemmCatalogue catalogue;
  catalogue.name = reader.string("name");
  catalogue.source = sourced(reader);
  catalogue.default_workspace = mib(reader.number("default_workspace_mib", Range::between(0, 1e6, "MiB")));
  catalogue.machine = read_machine(reader.object("machine"));
  catalogue.sm_count = catalogue.machine.sm_count;
  const TileSets sets = read_tile_sets(reader);
  bool bf16 = false;
  reader.each("families", [&](const Json& item, const std::string& pointer) {
    catalogue.families.push_back(read_family(ObjectReader(item, pointer), sets));
    const GemmFamily& family = catalogue.families.back();
    bf16 = bf16 || (family.precision == Precision::bf16 && family.align_n == 1 && family.align_k == 1);
  });
  // Whatever has no legal tactic of its own is dequantised to bf16, so bf16 must always have one.
  if (!bf16) throw reader.error("families", "no bf16 family for every shape", "one with align_n and align_k of 1");
  reader.finish();
  return catalogue;
}

GemmCatalogue GemmCatalogue::load(const std::string& path) {
  const Json document = load_json(path);
  try {
    return from_json(document);
  } catch (const ConfigError& error) {
    throw error.in_file(path);
  }
}

}  // namespace brink::plan
