#include "sim/scenario/scenario.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "models/base/sha256.h"
#include "models/memory/layout.h"
#include "sim/policy/i_router.h"
#include "sim/scenario/plan_parts.h"
#include "sim/scenario/read_conditions.h"
#include "sim/scenario/read_kv_consumers.h"
#include "sim/scenario/read_sections.h"
#include "sim/scenario/serving_parts.h"
#include "sim/workload/workload.h"

namespace brink::scenario {

namespace {

/// Cluster sizes above this are refused before anything of that size is built.
constexpr double replicas_max = 1e5;

void check_size(const Scenario& scenario) {
  const std::int64_t dp = scenario.engine.memory.data_parallel_size;
  if (static_cast<double>(dp) > replicas_max) {
    throw ConfigError("/engine/data_parallel_size", std::to_string(dp), "allowed: at most 100000 replicas");
  }
}

/// What the profile measured and what the cluster holds must be one GPU, and the profile must
/// know the engine's host.
void check_profile(const Scenario& scenario) {
  const auto& measured = scenario.inputs.profile->gpu();
  const gpu::GpuSpec& gpu = scenario.inputs.gpu;
  // Names differ in spelling between tools; the number of SMs and the data-sheet rate do not.
  if (measured.sm_count != gpu.sms) {
    throw ConfigError("/profile", "a profile of " + measured.name + " (" + std::to_string(measured.sm_count) + " SMs)",
                      "a profile of the cluster's GPU: " + gpu.name + " (" + std::to_string(gpu.sms) + " SMs)");
  }
  try {
    const cost::HostCost host = engine_host_cost(scenario);
    plan::TacticNames names;
    (void)step_cost(scenario, host, make_planner(scenario, names));
  } catch (const ConfigError& error) {
    if (error.pointer().starts_with("/engine")) throw;
    // The rest lies in the profile.
    if (scenario.profile.is_string()) throw error.in_file(resolve_path(scenario.base_dir, scenario.profile.as_string()));
    throw ConfigError("/profile" + error.pointer(), error.got(), error.allowed());
  }
}

/// /tactics, or the catalogue that the GPU's file names.
void read_tactics(ObjectReader& in, Scenario& out) {
  const bool given = in.has("tactics");
  out.tactics = given ? canonical(in.value("tactics")) : Json();
  if (given && out.tactics.is_object()) {
    try {
      out.gemm_tactics = plan::GemmCatalogue::from_json(out.tactics);
    } catch (const ConfigError& error) {
      throw ConfigError("/tactics" + error.pointer(), error.got(), error.allowed());
    }
    return;
  }
  if (given && !out.tactics.is_string()) {
    throw in.error("tactics", out.tactics.describe(), "allowed: a catalogue of GEMM tactics, or the path of one");
  }
  const std::string path = given ? existing_file(in, "tactics", out.base_dir) : out.inputs.gpu.gemm_tactics;
  if (path.empty()) {
    throw ConfigError("/tactics", "nothing", "the path of a catalogue of GEMM tactics: the description of " +
                                                 out.inputs.gpu.name + " names none");
  }
  out.gemm_tactics = plan::GemmCatalogue::load(path);
  out.inputs.digests.push_back({"tactics", sha256_of_file(path)});
}

ConditionContext condition_context(const Scenario& scenario) {
  ConditionContext out;
  out.replicas = scenario.engine.memory.data_parallel_size;
  out.ranks = scenario.engine.memory.tensor_parallel_size;
  if (scenario.disaggregation) {
    // A rank that is named exists in both pools.
    out.replicas = scenario.disaggregation->replicas();
    out.ranks = std::min(out.ranks, scenario.disaggregation->decode.engine.memory.tensor_parallel_size);
  }
  out.nodes = scenario.inputs.cluster.nodes;
  out.eager = scenario.engine.enforce_eager;
  out.clocks = gpu::clock_limits(scenario.inputs.gpu);
  return out;
}

/// Fails where consumers of KV contradict each other.
void check_consumers(const Scenario& scenario) {
  (void)kv_consumer_settings(scenario.conditions, scenario.hypotheses, scenario.seed);
}

/// Tenants that share nothing need a replica each.
void check_isolation(const Scenario& scenario, std::size_t tenants) {
  const auto replicas = static_cast<std::size_t>(scenario.engine.memory.data_parallel_size);
  if (scenario.security.isolation != Isolation::replica || replicas >= tenants) return;
  throw ConfigError("/security/isolation", fmt::format("\"replica\" with {} tenants on {}", tenants, replicas == 1 ? "1 replica" : fmt::format("{} replicas", replicas)),
                    "allowed: a replica of its own for each tenant: raise /engine/data_parallel_size or lower /workload/tenants");
}

void read_workload(ObjectReader& in, Scenario& out) {
  out.workload = canonical(in.value("workload"));
  if (!out.workload.is_object() && !out.workload.is_string()) {
    throw in.error("workload", out.workload.describe(), "allowed: an object, or the path of a file that holds one");
  }
  // Built once to be checked; a run builds it again.
  const workload::Workload built = workload::make_workload(out.workload, "/workload", out.base_dir, out.seed);
  check_isolation(out, built.tenant_shares.size());
  for (InputDigest& digest : workload_digests(out.workload, out.base_dir)) out.inputs.digests.push_back(std::move(digest));
}

/// Drift is followed because the scenario says so, not because that is the default.
bool drift_asked(ObjectReader& in, const Scenario& scenario) {
  const Json* observe = in.has("observe") ? &in.value("observe") : nullptr;
  const Json* drift = observe != nullptr ? observe->find("drift") : nullptr;
  return drift != nullptr && !drift->is_null() && scenario.observe.drift;
}

/// Parts that follow a request on one replica do not follow it to another one.
void check_disaggregation(ObjectReader& in, Scenario& out) {
  if (!out.disaggregation) return;
  const auto refuse = [](const std::string& pointer, const std::string& got, const std::string& allowed) {
    throw ConfigError(pointer, got, "allowed: " + allowed + " with /disaggregation");
  };
  if (drift_asked(in, out)) refuse("/observe/drift", "true", "false: answers are not followed from one replica to another");
  out.observe.drift = false;
  if (out.shaping.active()) refuse("/shaping/policy", Json(out.shaping.policy).describe(), "none");
  if (out.security.isolation != Isolation::shared) refuse("/security/isolation", "isolated tenants", "shared");
  for (const Condition& condition : out.conditions) {
    if (condition.kind == "replication" || condition.kind == "checkpoint") {
      refuse(fmt::format("/conditions/{}/kind", condition.index), Json(condition.kind).describe(),
             "kinds that do not keep KV blocks of requests that move on");
    }
  }
  const bool alone = out.disaggregation->prefill.engine.memory.tensor_parallel_size == 1;
  const std::int64_t decode = out.disaggregation->decode.engine.memory.tensor_parallel_size;
  if (out.observe.plans && alone != (decode == 1)) {
    refuse("/disaggregation/decode/tensor_parallel_size", std::to_string(decode),
           "one rank in both pools or more in both, where /observe/plans is true: the operators of one rank are others;");
  }
}

/// What follows a request on one replica, or pins replicas to tenants, does not go on after a failure.
void check_failures(ObjectReader& in, Scenario& scenario) {
  const auto failure = std::find_if(scenario.conditions.begin(), scenario.conditions.end(),
                                    [](const Condition& c) { return std::holds_alternative<FailureSettings>(c.settings); });
  if (failure == scenario.conditions.end()) return;
  const auto refuse = [&](const std::string& pointer, const std::string& got, const std::string& allowed) {
    throw ConfigError(pointer, got, fmt::format("allowed: {} with a {} in /conditions/{}", allowed, failure->kind, failure->index));
  };
  if (scenario.disaggregation) refuse("/disaggregation", "an object", "nothing");
  if (drift_asked(in, scenario)) refuse("/observe/drift", "true", "false: answers are not followed from one replica to another;");
  scenario.observe.drift = false;
  if (scenario.security.isolation == Isolation::replica) refuse("/security/isolation", "\"replica\"", "shared, strict");
  for (const Condition& condition : scenario.conditions) {
    if (condition.kind == "replication" || condition.kind == "checkpoint") {
      refuse(fmt::format("/conditions/{}/kind", condition.index), Json(condition.kind).describe(), "kinds that keep no KV blocks");
    }
  }
}

/// The engine, its memory and, with disaggregation, both pools.
void read_engines(ObjectReader& in, Scenario& out) {
  const Json no_engine = Json::object();
  const bool given = in.has("engine");
  out.engine = read_engine(given ? in.object("engine") : ObjectReader(no_engine, "/engine"), out.inputs.model, out.inputs.gpu);
  out.disaggregation = read_disaggregation(in, {given ? &in.value("engine") : nullptr, out.inputs.model, out.inputs.gpu, out.inputs.cluster});
  if (out.disaggregation) {
    out.engine = out.disaggregation->prefill.engine;
    out.engine.memory.data_parallel_size = 1;
  }
  out.inputs.model.dtype = out.engine.dtype;
}

Json limit(double value) { return std::isnan(value) ? Json() : Json(value); }

Json policy_section(const std::string& name) {
  Json out = Json::object();
  out.set("policy", name);
  return out;
}

}  // namespace

Scenario read_scenario(Json json, const std::string& base_dir, const std::vector<std::string>& settings,
                       std::optional<std::uint64_t> seed, const std::string& default_name) {
  if (!json.is_object()) throw ConfigError("", json.describe(), "allowed: an object");
  for (const std::string& setting : settings) apply_setting(json, setting);
  ObjectReader in(json, "");
  in.integer_or("schema_version", 1, Range{1.0, 1.0, false, "the version this program reads"});
  Scenario out;
  out.base_dir = base_dir;
  out.name = read_name(in, default_name);
  out.seed = static_cast<std::uint64_t>(in.integer_or("seed", 0, Range::at_least(0.0)));
  if (seed) out.seed = *seed;
  // Cheap sections first, and misspelt keys, before files are read.
  refuse_absent_sections(in);
  out.router = read_router(in);
  out.control = read_control(in);
  out.shaping = read_shaping(in);
  out.security = read_security(in);
  out.hypotheses = read_hypotheses(in);
  out.observe = read_observe(in);
  out.regimes = read_regimes(in);
  out.drift = read_drift(in);
  out.slo = read_slo(in);
  out.output = read_output(in);
  out.warmup = read_warmup(in);
  for (const char* key : {"model", "cluster", "profile", "tactics", "engine", "disaggregation", "workload", "conditions"}) in.ignore(key);
  in.finish();

  out.inputs = read_inputs(in, base_dir);
  for (const auto& [key, kept] : {std::pair("model", &out.model), std::pair("cluster", &out.cluster), std::pair("profile", &out.profile)}) {
    *kept = canonical(in.value(key));
  }
  read_engines(in, out);
  read_tactics(in, out);
  check_size(out);
  memory::EngineMemory asked = out.engine.memory;
  if (!out.engine.max_model_len_given) asked.max_model_len = 0;
  out.budget = memory::check_layout(out.inputs.model, out.inputs.gpu, out.inputs.cluster, asked);
  out.conditions = read_conditions(in, condition_context(out));
  check_disaggregation(in, out);
  check_failures(in, out);
  check_consumers(out);
  read_workload(in, out);
  check_profile(out);
  return out;
}

Scenario pool_scenario(const Scenario& scenario, const PoolSettings& pool) {
  Scenario out = scenario;
  out.engine = pool.engine;
  out.budget = pool.budget;
  out.disaggregation.reset();
  return out;
}

Scenario load_scenario(const std::string& path, const std::vector<std::string>& settings,
                       std::optional<std::uint64_t> seed) {
  const std::filesystem::path file(path);
  try {
    return read_scenario(load_json(path), file.parent_path().string(), settings, seed, file.stem().string());
  } catch (const ConfigError& error) {
    throw error.in_file(path);
  }
}

Json resolved(const Scenario& scenario) {
  Json out = Json::object();
  out.set("schema_version", 1);
  out.set("name", scenario.name);
  out.set("seed", scenario.seed);
  out.set("hypotheses", to_json(scenario.hypotheses));
  out.set("cluster", scenario.cluster);
  out.set("model", scenario.model);
  out.set("profile", scenario.profile);
  out.set("tactics", scenario.tactics);
  out.set("engine", to_json(scenario.engine));
  out.set("disaggregation", to_json(scenario.disaggregation));
  out.set("workload", scenario.workload);
  out.set("routing", policy_section(scenario.router));
  out.set("admission", policy_section("none"));
  out.set("control", scenario.control.resolved);
  out.set("shaping", scenario.shaping.resolved);
  out.set("security", to_json(scenario.security));
  out.set("conditions", to_json(scenario.conditions));
  out.set("observe", to_json(scenario.observe));
  out.set("regimes", scenario.regimes.resolved);
  out.set("drift", to_json(scenario.drift));
  Json& slo = out.set("slo", Json::object());
  slo.set("ttft_p99_ms", limit(scenario.slo.ttft_p99_ms));
  slo.set("tpot_p99_ms", limit(scenario.slo.tpot_p99_ms));
  slo.set("e2el_p99_ms", limit(scenario.slo.e2el_p99_ms));
  out.set("measure", Json::object()).set("warmup_s", scenario.warmup.value());
  Json& output = out.set("output", Json::object());
  output.set("requests", scenario.output.requests);
  output.set("steps", scenario.output.steps);
  output.set("timeline", scenario.output.timeline);
  output.set("timeseries", scenario.output.timeseries);
  output.set("records", record_mode_name(scenario.output.records));
  output.set("ledger", scenario.output.ledger);
  out.set("fidelity", "step");
  return out;
}

}  // namespace brink::scenario
