#include "sim/scenario/read_disaggregation.h"

#include <algorithm>
#include <set>
#include <string>

#include <fmt/format.h>

#include "models/memory/layout.h"

namespace brink::scenario {

namespace {

const std::string engine_replicas = "/engine/data_parallel_size";

/// Errors at /engine/... happen at the pool's own field.
template <class Action>
auto in_pool(const std::string& pointer, const Action& action) {
  try {
    return action();
  } catch (const ConfigError& error) {
    if (!error.pointer().starts_with("/engine")) throw;
    const std::string field = error.pointer() == engine_replicas ? "/replicas" : error.pointer().substr(std::string("/engine").size());
    throw ConfigError(pointer + field, error.got(), error.allowed());
  }
}

/// /engine with what the pool gives in its place.
Json merged(const Json* engine, const Json& pool) {
  Json out = engine != nullptr ? *engine : Json::object();
  for (const Json::Member& member : pool.members()) {
    if (member.first != "replicas") out.set(member.first, member.second);
  }
  return out;
}

PoolSettings read_pool(ObjectReader& in, const char* key, const DisaggregationContext& context) {
  const std::string at = in.pointer_to(key);
  const Json& given = in.value(key);
  ObjectReader pool(given, at);
  const std::int64_t replicas = pool.integer("replicas", Range{1.0, 1e5, false, "replicas"});
  if (pool.has("data_parallel_size")) {
    throw pool.error("data_parallel_size", given.find("data_parallel_size")->describe(), "allowed: replicas in its place");
  }
  PoolSettings out;
  const Json engine = merged(context.engine, given);
  out.engine = read_engine(ObjectReader(engine, at), context.model, context.gpu);
  out.engine.memory.data_parallel_size = replicas;
  transformer::Model model = context.model;
  model.dtype = out.engine.dtype;
  memory::EngineMemory asked = out.engine.memory;
  if (!out.engine.max_model_len_given) asked.max_model_len = 0;
  out.budget = in_pool(at, [&] { return memory::check_layout(model, context.gpu, context.cluster, asked); });
  return out;
}

/// What the two pools have to agree in: KV of one is read by the other.
void check_same(const ObjectReader& in, const DisaggregationSettings& s) {
  const EngineSettings& p = s.prefill.engine;
  const EngineSettings& d = s.decode.engine;
  const auto differ = [&in](const char* field, const std::string& got, const std::string& wanted) {
    throw ConfigError(in.pointer_to("decode") + "/" + field, got, fmt::format("allowed: {}, as in the prefill pool: its KV is read here", wanted));
  };
  if (p.dtype != d.dtype) differ("dtype", d.dtype, p.dtype);
  if (p.kv_cache_dtype != d.kv_cache_dtype) differ("kv_cache_dtype", d.kv_cache_dtype, p.kv_cache_dtype);
  if (p.memory.block_size != d.memory.block_size) {
    differ("block_size", std::to_string(d.memory.block_size), std::to_string(p.memory.block_size));
  }
  if (p.memory.max_model_len != d.memory.max_model_len) {
    differ("max_model_len", std::to_string(d.memory.max_model_len), std::to_string(p.memory.max_model_len));
  }
  if (p.name != d.name || p.version_text != d.version_text) differ("version", d.version_text, p.version_text);
}

Json pool_json(const PoolSettings& pool) {
  Json out = Json::object();
  out.set("replicas", pool.engine.memory.data_parallel_size);
  const Json engine = to_json(pool.engine);
  for (const Json::Member& member : engine.members()) {
    if (member.first != "data_parallel_size") out.set(member.first, member.second);
  }
  return out;
}

}  // namespace

std::optional<DisaggregationSettings> read_disaggregation(ObjectReader& scenario, const DisaggregationContext& context) {
  if (!scenario.has("disaggregation")) return std::nullopt;
  if (context.engine != nullptr) {
    const Json* replicas = context.engine->find("data_parallel_size");
    if (replicas != nullptr && !replicas->is_null() && !(replicas->kind() == Json::Kind::integer && replicas->as_integer() == 1)) {
      throw ConfigError(engine_replicas, replicas->describe(),
                        "allowed: 1, or nothing, with /disaggregation: prefill and decode have their own replicas");
    }
  }
  ObjectReader in = scenario.object("disaggregation");
  DisaggregationSettings out;
  out.prefill = read_pool(in, "prefill", context);
  out.decode = read_pool(in, "decode", context);
  const Json nothing = Json::object();
  ObjectReader transfer = in.has("transfer") ? in.object("transfer") : ObjectReader(nothing, in.pointer_to("transfer"));
  out.by_layer = transfer.choice_or("overlap", {"layer", "none"}, "layer") == "layer";
  out.whole_blocks = transfer.choice_or("unit", {"block", "token"}, "block") == "block";
  transfer.finish();
  in.finish();
  check_same(in, out);
  (void)place_pools(out, context.cluster);
  return out;
}

std::vector<std::vector<fabric::GpuPlace>> place_pools(const DisaggregationSettings& settings, const fabric::Cluster& cluster) {
  const memory::EngineMemory& p = settings.prefill.engine.memory;
  const memory::EngineMemory& d = settings.decode.engine.memory;
  auto places = in_pool("/disaggregation/prefill", [&] { return fabric::place_ranks(cluster, p.data_parallel_size, p.tensor_parallel_size); });
  std::set<fabric::GpuPlace> taken;
  for (const auto& ranks : places) taken.insert(ranks.begin(), ranks.end());
  const auto is_free = [&taken](const std::vector<fabric::GpuPlace>& ranks) {
    return std::none_of(ranks.begin(), ranks.end(), [&taken](const fabric::GpuPlace& place) { return taken.contains(place); });
  };
  // The places of a pool that had the cluster for itself, less those the prefill pool overlaps.
  const std::int64_t room = d.tensor_parallel_size <= cluster.gpus_per_node
                                ? cluster.nodes * (cluster.gpus_per_node / d.tensor_parallel_size)
                                : cluster.nodes / ((d.tensor_parallel_size + cluster.gpus_per_node - 1) / cluster.gpus_per_node);
  std::int64_t left = d.data_parallel_size;
  for (auto& ranks : in_pool("/disaggregation/decode", [&] { return fabric::place_ranks(cluster, std::max<std::int64_t>(room, 1), d.tensor_parallel_size); })) {
    if (left == 0) break;
    if (!is_free(ranks)) continue;
    places.push_back(std::move(ranks));
    --left;
  }
  if (left > 0) {
    throw ConfigError("/disaggregation/decode/replicas", std::to_string(d.data_parallel_size),
                      fmt::format("allowed: at most {}: the cluster's {} GPUs less the {} of the prefill pool hold that many of {} ranks",
                                  d.data_parallel_size - left, cluster.gpus(), taken.size(), d.tensor_parallel_size));
  }
  return places;
}

Json to_json(const std::optional<DisaggregationSettings>& settings) {
  if (!settings) return {};
  Json out = Json::object();
  out.set("prefill", pool_json(settings->prefill));
  out.set("decode", pool_json(settings->decode));
  Json& transfer = out.set("transfer", Json::object());
  transfer.set("overlap", settings->by_layer ? "layer" : "none");
  transfer.set("unit", settings->whole_blocks ? "block" : "token");
  return out;
}

}  // namespace brink::scenario
