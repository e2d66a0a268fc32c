#include "sim/scenario/simulation.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "models/cost/step_constants.h"
#include "models/fabric/placement.h"
#include "models/fabric/topology.h"
#include "sim/policy/fcfs_batcher.h"
#include "sim/conditions/combined_conditions.h"
#include "sim/conditions/kv_consumers.h"
#include "sim/policy/i_router.h"
#include "sim/policy/tenant_router.h"
#include "sim/scenario/make_conditions.h"
#include "sim/scenario/plan_parts.h"
#include "sim/scenario/provenance.h"
#include "sim/scenario/read_kv_consumers.h"
#include "sim/scenario/serving_parts.h"
#include "sim/serving/drift_tracker.h"
#include "sim/serving/failures.h"
#include "sim/serving/gateway.h"
#include "sim/serving/handover.h"
#include "sim/serving/idle_model.h"
#include "sim/serving/replica.h"
#include "sim/telemetry/drift_stats.h"
#include "sim/workload/workload.h"
#include "sim/world/platform.h"
#include "sim/world/world.h"

namespace brink::scenario {

namespace {

// Ties at one instant are settled by these numbers: the gateway first, then replica by replica.
constexpr std::uint32_t gateway_component = 0, first_replica_component = 1;

drift::Arithmetic arithmetic(const Scenario& scenario) {
  return scenario.engine.dtype == "float16" ? drift::Arithmetic::fp16 : drift::Arithmetic::bf16;
}

drift::FlipLaw drift_law(const Scenario& scenario) {
  return flip_law(scenario.drift, scenario.inputs.profile->drift(), arithmetic(scenario));
}

telemetry::RecordFacts record_facts(const Scenario& scenario) {
  telemetry::RecordFacts out;
  out.seed = scenario.seed;
  out.heads = scenario.inputs.model.q_heads;
  out.hidden = scenario.inputs.model.hidden;
  out.kv_block = scenario.budget.kv_block;
  out.isolation = scenario.security.isolation == Isolation::shared ? "shared" : "strict";
  out.autotune = scenario.engine.autotune;
  out.route = scenario.router;
  if (scenario.shaping.active()) out.gates.push_back("shaping:" + scenario.shaping.policy);
  if (scenario.control.active()) out.gates.push_back("control:" + scenario.control.policy);
  return out;
}

telemetry::RunFacts run_facts(const Scenario& scenario, const workload::Workload& workload) {
  telemetry::RunFacts facts;
  const memory::EngineMemory& m = scenario.engine.memory;
  facts.name = scenario.name;
  facts.model_id = scenario.inputs.model.name;
  facts.engine = scenario.engine.name;
  facts.engine_version = scenario.engine.version_text;
  facts.replicas = m.data_parallel_size;
  facts.tensor_parallel_size = m.tensor_parallel_size;
  facts.gpus = m.data_parallel_size * m.tensor_parallel_size;
  facts.kv_blocks = scenario.budget.kv_blocks;
  facts.block_size = m.block_size;
  if (scenario.disaggregation) {
    const memory::EngineMemory& d = scenario.disaggregation->decode.engine.memory;
    const memory::EngineMemory& p = scenario.disaggregation->prefill.engine.memory;
    facts.replicas = scenario.disaggregation->replicas();
    facts.gpus = p.data_parallel_size * p.tensor_parallel_size + d.data_parallel_size * d.tensor_parallel_size;
    facts.kv_blocks = std::max(facts.kv_blocks, scenario.disaggregation->decode.budget.kv_blocks);
  }
  if (workload.nominal_rate_per_s) facts.request_rate = Json(*workload.nominal_rate_per_s).dump();
  facts.burstiness = workload.burstiness;
  facts.max_concurrency = workload.max_in_flight.value_or(0);
  facts.warmup_s = scenario.warmup.value();
  facts.slo = scenario.slo;
  facts.output = scenario.output;
  facts.followed = {scenario.observe.plans, scenario.observe.regimes, scenario.observe.drift, scenario.output.ledger};
  facts.records = record_facts(scenario);
  for (const ActiveHypothesis& active : scenario.hypotheses.active()) facts.hypotheses.push_back(active.name);
  facts.scenario = resolved(scenario);
  facts.provenance = provenance(scenario);
  return facts;
}

/// Replicas of one engine.
struct Pool {
  std::shared_ptr<const Scenario> scenario;  // whose engine it is
  std::size_t count = 0;
  std::shared_ptr<plan::Planner> planner;    // of its first replica, and of all that do not autotune
  std::shared_ptr<cost::IStepCost> cost;     // of the same
  std::unique_ptr<serving::IStepConditions> conditions;
  bool prefills_only = false;
};

/// GPUs that exchange data: the ranks of each replica, and with disaggregation every pair of a prefill and a decode rank
/// that share KV heads.
std::vector<std::vector<fabric::GpuPlace>> talking(const Scenario& scenario, const std::vector<std::vector<fabric::GpuPlace>>& places) {
  auto groups = places;
  if (!scenario.disaggregation) return groups;
  const memory::EngineMemory& p = scenario.disaggregation->prefill.engine.memory;
  const memory::EngineMemory& d = scenario.disaggregation->decode.engine.memory;
  const auto prefills = static_cast<std::size_t>(p.data_parallel_size);
  for (const serving::KvShard& shard : serving::kv_shards(scenario.inputs.model.kv_heads, p.tensor_parallel_size, d.tensor_parallel_size)) {
    for (std::size_t i = 0; i < prefills; ++i) {
      for (std::size_t j = prefills; j < places.size(); ++j) {
        groups.push_back({places[i][static_cast<std::size_t>(shard.from)], places[j][static_cast<std::size_t>(shard.to)]});
      }
    }
  }
  return groups;
}

std::vector<std::size_t> hosts(const Scenario& scenario, const std::vector<fabric::GpuPlace>& ranks) {
  std::vector<std::size_t> out;
  for (const fabric::GpuPlace& place : ranks) out.push_back(world::host_index(scenario.inputs.cluster, place));
  return out;
}

serving::HandoverSettings handover_settings(const Scenario& scenario) {
  serving::HandoverSettings out;
  const transformer::Model& model = scenario.inputs.model;
  const PoolSettings& prefill = scenario.disaggregation->prefill;
  out.by_layer = scenario.disaggregation->by_layer;
  out.whole_blocks = scenario.disaggregation->whole_blocks;
  out.layers = model.layers;
  out.kv_heads = model.kv_heads;
  const std::int64_t heads = std::max<std::int64_t>(model.kv_heads / prefill.engine.memory.tensor_parallel_size, 1);
  out.head_token = prefill.budget.kv_block / static_cast<double>(prefill.engine.memory.block_size * heads);
  return out;
}

/// Every replica with a rank on a failing node goes with it.
std::vector<serving::Failure> failures(const Scenario& scenario, const std::vector<std::vector<fabric::GpuPlace>>& places) {
  std::vector<serving::Failure> out;
  for (const Condition& condition : scenario.conditions) {
    const auto* settings = std::get_if<FailureSettings>(&condition.settings);
    if (settings == nullptr) continue;
    serving::Failure failure;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const bool on_node = std::any_of(places[i].begin(), places[i].end(), [&](const fabric::GpuPlace& p) { return p.node == settings->node; });
      if (on_node || static_cast<std::int64_t>(i) == settings->replica) failure.replicas.push_back(i);
    }
    if (failure.replicas.empty()) continue;  // nobody lives there
    failure.at = settings->at;
    failure.recovers_after = settings->recovers_after;
    failure.on_failure = settings->on_failure;
    failure.condition = condition.index;
    failure.rank = settings->rank;
    failure.detail = settings->node >= 0 ? fmt::format("node {}", settings->node) : fmt::format("replica {}", settings->replica);
    out.push_back(std::move(failure));
  }
  return out;
}

Json failures_json(const serving::FailureStats& stats) {
  Json out = Json::object();
  out.set("replicas_failed", stats.failures);
  out.set("replicas_recovered", stats.recoveries);
  out.set("requests_lost", stats.lost);
  return out;
}

Json handover_json(const serving::HandoverStats& stats, Seconds end) {
  Json out = Json::object();
  out.set("requests", stats.requests);
  out.set("waited_for_blocks", stats.waited);
  out.set("kv_gb", stats.bytes.value() / 1e9);
  out.set("kv_gb_per_s", end > Seconds(0.0) ? stats.bytes.value() / 1e9 / end.value() : 0.0);
  const bool any = stats.delay.count() > 0;
  out.set("mean_delay_ms", any ? Json(stats.delay.mean() * 1e3) : Json());
  out.set("p50_delay_ms", any ? Json(stats.delay.quantile(0.5) * 1e3) : Json());
  out.set("p99_delay_ms", any ? Json(stats.delay.quantile(0.99) * 1e3) : Json());
  return out;
}

/// All parts of a run, in the order they depend on each other.
class Simulation {
 public:
  Simulation(const Scenario& scenario, const ProgressSink* sink);
  RunOutcome run();

 private:
  Pool make_pool(std::shared_ptr<const Scenario> scenario);
  void add_replicas(Pool& pool);
  void add_replica(const Pool& pool, std::size_t i, std::shared_ptr<cost::IStepCost> cost, std::shared_ptr<plan::Planner> planner);
  void add_to_handover(const Pool& pool, std::size_t i);
  [[nodiscard]] serving::Surroundings surroundings(const Pool& pool, std::size_t i, std::shared_ptr<plan::Planner> planner);
  std::unique_ptr<policy::IRouter> router() const;
  void check_books() const;
  void add_sections(RunOutcome& out) const;

  const Scenario& scenario_;
  workload::Workload workload_;
  std::vector<std::vector<fabric::GpuPlace>> places_;  // by replica and rank
  fabric::Topology topology_;
  world::Platform platform_;
  world::World world_;
  serving::SequencePool pool_;
  policy::FcfsBatcher batcher_;
  std::unique_ptr<policy::IRouter> router_;
  std::unique_ptr<policy::IShaper> shaper_;
  plan::TacticNames tactics_;
  telemetry::Collector collector_;
  ProgressRecorder recorder_;
  cost::HostCost host_;
  std::vector<Pool> pools_;
  conditions::CombinedConditions conditions_;
  conditions::KvConsumerSettings consumer_settings_;
  std::shared_ptr<serving::OrderAgreements> agreements_ = std::make_shared<serving::OrderAgreements>();
  std::optional<serving::IdleModel> idle_;
  std::int32_t tenants_ = 1;
  std::optional<serving::Gateway> gateway_;
  std::unique_ptr<policy::IRouter> decode_router_;
  std::optional<serving::Handover> handover_;
  std::optional<serving::Failures> failures_;
  std::vector<std::unique_ptr<serving::Replica>> replicas_;
  std::vector<std::unique_ptr<conditions::KvConsumers>> consumers_;
  conditions::ReplicationOverhead overhead_;
};

Simulation::Simulation(const Scenario& scenario, const ProgressSink* sink)
    : scenario_(scenario),
      workload_(workload::make_workload(scenario.workload, "/workload", scenario.base_dir, scenario.seed)),
      places_(placement(scenario)),
      topology_(scenario.inputs.cluster),
      platform_(world::make_platform(scenario.inputs.cluster, topology_, talking(scenario, places_),
                                     scenario.inputs.gpu.bf16_sustained)),
      world_(platform_),
      router_(router()),
      shaper_(make_shaper(scenario.shaping)),
      collector_(run_facts(scenario, workload_)),
      recorder_(collector_, sink, workload_.source->size_hint()),
      host_(engine_host_cost(scenario)),
      consumer_settings_(kv_consumer_settings(scenario.conditions, scenario.hypotheses, scenario.seed)) {
  if (scenario.disaggregation) {
    pools_.push_back(make_pool(std::make_shared<const Scenario>(pool_scenario(scenario, scenario.disaggregation->prefill))));
    pools_.push_back(make_pool(std::make_shared<const Scenario>(pool_scenario(scenario, scenario.disaggregation->decode))));
    pools_.front().prefills_only = true;
    // Draws of its own: the second choice does not repeat the first one.
    decode_router_ = policy::make_router(scenario.router, RandomStream(scenario.seed, "routing/decode").bits({0}, 0));
    handover_.emplace(first_replica_component + static_cast<std::uint32_t>(places_.size()), handover_settings(scenario),
                      serving::Handover::Parts{world_, world_, pool_, *decode_router_});
  } else {
    pools_.push_back(make_pool({std::shared_ptr<void>(), &scenario}));
  }
  if (scenario.observe.plans) collector_.follow_plans(tactics_, pools_.front().planner->graph());
  if (scenario.observe.drift) collector_.follow_drift({drift_law(scenario), scenario.drift.early});
  // What an idle system takes is known of one engine that does everything.
  if (!scenario.disaggregation) idle_.emplace(pools_.front().cost, engine_config(scenario, host_), front_end(host_));
  serving::Gateway::Parts parts{world_, pool_, *router_, recorder_, shaper_.get(), idle_ ? &*idle_ : nullptr};
  tenants_ = static_cast<std::int32_t>(workload_.tenant_shares.size());
  gateway_.emplace(gateway_component, std::move(workload_), front_end(host_), parts);
  for (Pool& pool : pools_) add_replicas(pool);
  if (auto list = failures(scenario, places_); !list.empty()) {
    failures_.emplace(first_replica_component + static_cast<std::uint32_t>(places_.size()) + 1, std::move(list),
                      serving::Failures::Parts{world_, *gateway_, collector_.ledger()});
  }
}

Pool Simulation::make_pool(std::shared_ptr<const Scenario> scenario) {
  Pool out;
  out.scenario = std::move(scenario);
  out.count = static_cast<std::size_t>(out.scenario->engine.memory.data_parallel_size);
  out.planner = make_planner(*out.scenario, tactics_);
  out.cost = step_cost(*out.scenario, host_, out.planner);
  out.conditions = make_step_conditions(scenario_.conditions, scenario_.hypotheses, scenario_.seed,
                                        out.scenario->engine.memory.tensor_parallel_size, collector_.ledger());
  return out;
}

std::unique_ptr<policy::IRouter> Simulation::router() const {
  if (scenario_.security.isolation != Isolation::replica) return policy::make_router(scenario_.router, scenario_.seed);
  const auto replicas = static_cast<std::size_t>(scenario_.engine.memory.data_parallel_size);
  return policy::make_tenant_router(scenario_.router, scenario_.seed,
                                    policy::assign_replicas(replicas, workload_.tenant_shares));
}

serving::Surroundings Simulation::surroundings(const Pool& pool, std::size_t i, std::shared_ptr<plan::Planner> planner) {
  serving::Surroundings out;
  if (!conditions_.empty() || !consumer_settings_.empty()) out.conditions = &conditions_;
  out.controller = make_controller(scenario_.control);
  out.workspace = make_workspace(*pool.scenario, i);
  if (handover_) out.handover = &*handover_;
  out.prefills_only = pool.prefills_only;
  const bool strict = scenario_.security.isolation == Isolation::strict;
  if (strict) out.tenants = tenants_;
  if (shaper_) out.measure_load = scenario_.regimes.thresholds.queue_window;
  const ObserveSettings& observe = scenario_.observe;
  if (observe.plans || observe.regimes || scenario_.output.ledger) {
    serving::Journal::Settings settings;
    settings.replica = ReplicaId{i};
    settings.regime = {scenario_.regimes.thresholds, strict, scenario_.regimes.count_live_pins};
    settings.regimes = observe.regimes;
    settings.conditions = scenario_.conditions.size();
    out.journal = std::make_unique<serving::Journal>(settings, collector_.ledger());
  }
  if (observe.drift) {
    const serving::DriftOptions options{drift_law(scenario_), scenario_.engine.batch_invariant,
                                        scenario_.engine.memory.max_num_batched_tokens};
    auto reference = reference_plan(scenario_, std::move(planner));
    out.make_drift = [options, reference, agreements = agreements_] {
      return std::make_unique<serving::DriftTracker>(options, reference, agreements);
    };
  }
  if (scenario_.security.confidential) {
    out.ready = scenario_.security.confidential->attestation;
    world::LedgerEvent event;
    event.kind = world::EventKind::attestation;
    event.replica = ReplicaId{i};
    event.delay = out.ready;
    collector_.ledger().add(event);
  }
  return out;
}

void Simulation::add_replicas(Pool& pool) {
  const std::size_t first = replicas_.size();
  if (pool.conditions && !scenario_.disaggregation) conditions_.add(*pool.conditions);
  for (std::size_t i = first; i < first + pool.count; ++i) {
    // Its ranks are those of its pool.
    if (pool.conditions && scenario_.disaggregation) conditions_.add(ReplicaId{i}, *pool.conditions);
    if (pool.scenario->engine.autotune && i > first) {
      auto planner = make_planner(*pool.scenario, tactics_, i);
      add_replica(pool, i, step_cost(*pool.scenario, host_, planner), planner);
    } else {
      add_replica(pool, i, pool.cost, pool.planner);
    }
  }
  if (!consumer_settings_.replications.empty()) conditions_.add(overhead_);
}

void Simulation::add_to_handover(const Pool& pool, std::size_t i) {
  if (pool.prefills_only) {
    handover_->add_prefill(*replicas_[i], hosts(scenario_, places_[i]));
  } else {
    handover_->add_decode(*replicas_[i], hosts(scenario_, places_[i]));
  }
}

void Simulation::add_replica(const Pool& pool, std::size_t i, std::shared_ptr<cost::IStepCost> cost,
                             std::shared_ptr<plan::Planner> planner) {
  const auto component = first_replica_component + static_cast<std::uint32_t>(i);
  replicas_.push_back(std::make_unique<serving::Replica>(
      ReplicaId{i}, component, engine_config(*pool.scenario, host_), std::move(cost),
      serving::Replica::Parts{world_, pool_, batcher_, recorder_, *gateway_}, surroundings(pool, i, std::move(planner))));
  serving::Replica& replica = *replicas_.back();
  if (handover_) add_to_handover(pool, i);
  if (!handover_ || pool.prefills_only) gateway_->add_replica(replica);
  if (consumer_settings_.empty()) return;
  consumers_.push_back(std::make_unique<conditions::KvConsumers>(
      consumer_settings_,
      conditions::KvConsumers::Parts{ReplicaId{i}, component, world_, replica, collector_.ledger()}));
  if (consumers_.back()->empty()) return;
  replica.add_consumer(*consumers_.back());
  consumers_.back()->add_to(overhead_);
  if (serving::IStepConditions* eviction = consumers_.back()->mid_collective_eviction()) {
    conditions_.add(ReplicaId{i}, *eviction);
  }
}

void Simulation::check_books() const {
  const std::int64_t finished = collector_.finished_requests();
  if (finished != gateway_->sent() || gateway_->in_flight() != 0 || pool_.active() != 0) {
    throw Error(fmt::format("the run ended with {} of {} requests finished, {} in flight and {} sequences held",
                            finished, gateway_->sent(), gateway_->in_flight(), pool_.active()));
  }
  if (handover_ && !handover_->idle()) throw Error("the run ended with KV on its way between replicas");
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    if (replicas_[i]->idle()) continue;
    const policy::ReplicaView view = replicas_[i]->view();
    throw Error(fmt::format("the run ended with replica {} not idle: {} waiting, {} running, {} KV blocks in use", i,
                            view.waiting, view.running, view.kv_blocks_used));
  }
}

// What the collector does not hear of.
void Simulation::add_sections(RunOutcome& out) const {
  if (!handover_ && !failures_) return;
  if (handover_) out.summary.set("handover", handover_json(handover_->stats(), out.end));
  if (failures_) out.summary.set("failures", failures_json(failures_->stats()));
  for (telemetry::ResultFile& file : out.files) {
    if (file.name == "summary.json") file.content = out.summary.dump(2) + "\n";
  }
}

RunOutcome Simulation::run() {
  const auto begin = std::chrono::steady_clock::now();
  gateway_->start();
  if (failures_) failures_->start(replicas_.size());
  world_.run();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  check_books();
  RunOutcome out;
  // A failure that finds nobody does not make the run longer.
  out.end = failures_ ? gateway_->last_end() : world_.now();
  out.wall = Seconds(wall.count());
  out.summary = collector_.summary(out.end);
  const Json* measured = out.summary.find("measured_requests");
  if (scenario_.warmup.value() > 0.0 && measured != nullptr && measured->as_integer() == 0) {
    throw ConfigError("/measure/warmup_s", fmt::format("{}", scenario_.warmup.value()),
                      fmt::format("a warm-up that leaves requests to measure: the run ended at {:.3f} s", out.end.value()));
  }
  out.files = collector_.files();
  add_sections(out);
  out.events = world_.events_handled();
  out.steps = static_cast<std::int64_t>(recorder_.steps());
  return out;
}

}  // namespace

RunOutcome run_scenario(const Scenario& scenario, const ProgressSink* sink) { return Simulation(scenario, sink).run(); }

}  // namespace brink::scenario
