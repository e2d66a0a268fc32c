#include "sim/scenario/simulation.h"

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
#include "sim/serving/gateway.h"
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

/// All parts of a run, in the order they depend on each other.
class Simulation {
 public:
  Simulation(const Scenario& scenario, const ProgressSink* sink);
  RunOutcome run();

 private:
  void add_replicas(std::size_t count);
  void add_replica(std::size_t i, std::shared_ptr<cost::IStepCost> cost, std::shared_ptr<plan::Planner> planner);
  [[nodiscard]] serving::Surroundings surroundings(std::size_t i, std::shared_ptr<plan::Planner> planner);
  std::unique_ptr<policy::IRouter> router() const;
  void check_books() const;

  const Scenario& scenario_;
  workload::Workload workload_;
  fabric::Topology topology_;
  world::Platform platform_;
  world::World world_;
  serving::SequencePool pool_;
  policy::FcfsBatcher batcher_;
  std::unique_ptr<policy::IRouter> router_;
  std::unique_ptr<policy::IShaper> shaper_;
  plan::TacticNames tactics_;
  std::shared_ptr<plan::Planner> planner_;  // of the first replica, and of all that do not autotune
  telemetry::Collector collector_;
  ProgressRecorder recorder_;
  cost::HostCost host_;
  std::shared_ptr<cost::IStepCost> cost_;   // of the same
  std::unique_ptr<serving::IStepConditions> step_conditions_;
  conditions::CombinedConditions conditions_;
  conditions::KvConsumerSettings consumer_settings_;
  std::shared_ptr<serving::OrderAgreements> agreements_ = std::make_shared<serving::OrderAgreements>();
  std::optional<serving::IdleModel> idle_;
  std::int32_t tenants_ = 1;
  std::optional<serving::Gateway> gateway_;
  std::vector<std::unique_ptr<serving::Replica>> replicas_;
  std::vector<std::unique_ptr<conditions::KvConsumers>> consumers_;
  conditions::ReplicationOverhead overhead_;
};

Simulation::Simulation(const Scenario& scenario, const ProgressSink* sink)
    : scenario_(scenario),
      workload_(workload::make_workload(scenario.workload, "/workload", scenario.base_dir, scenario.seed)),
      topology_(scenario.inputs.cluster),
      platform_(world::make_platform(scenario.inputs.cluster, topology_, placement(scenario),
                                     scenario.inputs.gpu.bf16_sustained)),
      world_(platform_),
      router_(router()),
      shaper_(make_shaper(scenario.shaping)),
      planner_(make_planner(scenario, tactics_)),
      collector_(run_facts(scenario, workload_)),
      recorder_(collector_, sink, workload_.source->size_hint()),
      host_(engine_host_cost(scenario)),
      cost_(step_cost(scenario, host_, planner_)),
      step_conditions_(make_step_conditions(scenario.conditions, scenario.hypotheses, scenario.seed,
                                            scenario.engine.memory.tensor_parallel_size, collector_.ledger())),
      consumer_settings_(kv_consumer_settings(scenario.conditions, scenario.hypotheses, scenario.seed)) {
  if (scenario.observe.plans) collector_.follow_plans(tactics_, planner_->graph());
  if (scenario.observe.drift) collector_.follow_drift({drift_law(scenario), {}});
  if (step_conditions_) conditions_.add(*step_conditions_);
  idle_.emplace(cost_, engine_config(scenario, host_), front_end(host_));
  serving::Gateway::Parts parts{world_, pool_, *router_, recorder_, shaper_.get(), &*idle_};
  tenants_ = static_cast<std::int32_t>(workload_.tenant_shares.size());
  gateway_.emplace(gateway_component, std::move(workload_), front_end(host_), parts);
  add_replicas(static_cast<std::size_t>(scenario.engine.memory.data_parallel_size));
}

std::unique_ptr<policy::IRouter> Simulation::router() const {
  if (scenario_.security.isolation != Isolation::replica) return policy::make_router(scenario_.router, scenario_.seed);
  const auto replicas = static_cast<std::size_t>(scenario_.engine.memory.data_parallel_size);
  return policy::make_tenant_router(scenario_.router, scenario_.seed,
                                    policy::assign_replicas(replicas, workload_.tenant_shares));
}

serving::Surroundings Simulation::surroundings(std::size_t i, std::shared_ptr<plan::Planner> planner) {
  serving::Surroundings out;
  if (!conditions_.empty() || !consumer_settings_.empty()) out.conditions = &conditions_;
  out.controller = make_controller(scenario_.control);
  out.workspace = make_workspace(scenario_, i);
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

void Simulation::add_replicas(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (scenario_.engine.autotune && i > 0) {
      auto planner = make_planner(scenario_, tactics_, i);
      add_replica(i, step_cost(scenario_, host_, planner), planner);
    } else {
      add_replica(i, cost_, planner_);
    }
  }
  if (!consumer_settings_.replications.empty()) conditions_.add(overhead_);
}

void Simulation::add_replica(std::size_t i, std::shared_ptr<cost::IStepCost> cost, std::shared_ptr<plan::Planner> planner) {
  const auto component = first_replica_component + static_cast<std::uint32_t>(i);
  replicas_.push_back(std::make_unique<serving::Replica>(
      ReplicaId{i}, component, engine_config(scenario_, host_), std::move(cost),
      serving::Replica::Parts{world_, pool_, batcher_, recorder_, *gateway_}, surroundings(i, std::move(planner))));
  serving::Replica& replica = *replicas_.back();
  gateway_->add_replica(replica);
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
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    if (replicas_[i]->idle()) continue;
    const policy::ReplicaView view = replicas_[i]->view();
    throw Error(fmt::format("the run ended with replica {} not idle: {} waiting, {} running, {} KV blocks in use", i,
                            view.waiting, view.running, view.kv_blocks_used));
  }
}

RunOutcome Simulation::run() {
  const auto begin = std::chrono::steady_clock::now();
  gateway_->start();
  world_.run();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  check_books();
  RunOutcome out;
  out.end = world_.now();
  out.wall = Seconds(wall.count());
  out.summary = collector_.summary(out.end);
  const Json* measured = out.summary.find("measured_requests");
  if (scenario_.warmup.value() > 0.0 && measured != nullptr && measured->as_integer() == 0) {
    throw ConfigError("/measure/warmup_s", fmt::format("{}", scenario_.warmup.value()),
                      fmt::format("a warm-up that leaves requests to measure: the run ended at {:.3f} s", out.end.value()));
  }
  out.files = collector_.files();
  out.events = world_.events_handled();
  out.steps = static_cast<std::int64_t>(recorder_.steps());
  return out;
}

}  // namespace

RunOutcome run_scenario(const Scenario& scenario, const ProgressSink* sink) { return Simulation(scenario, sink).run(); }

}  // namespace brink::scenario
