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
#include "sim/policy/i_router.h"
#include "sim/scenario/provenance.h"
#include "sim/scenario/serving_parts.h"
#include "sim/serving/gateway.h"
#include "sim/serving/replica.h"
#include "sim/workload/workload.h"
#include "sim/world/platform.h"
#include "sim/world/world.h"

namespace brink::scenario {

namespace {

// Ties at one instant are settled by these numbers: the gateway first, then replica by replica.
constexpr std::uint32_t gateway_component = 0, first_replica_component = 1;

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
  void check_books() const;

  const Scenario& scenario_;
  workload::Workload workload_;
  fabric::Topology topology_;
  world::Platform platform_;
  world::World world_;
  serving::SequencePool pool_;
  policy::FcfsBatcher batcher_;
  std::unique_ptr<policy::IRouter> router_;
  telemetry::Collector collector_;
  ProgressRecorder recorder_;
  cost::HostCost host_;
  std::optional<serving::Gateway> gateway_;
  std::vector<std::unique_ptr<serving::Replica>> replicas_;
};

Simulation::Simulation(const Scenario& scenario, const ProgressSink* sink)
    : scenario_(scenario),
      workload_(workload::make_workload(scenario.workload, "/workload", scenario.base_dir, scenario.seed)),
      topology_(scenario.inputs.cluster),
      platform_(world::make_platform(scenario.inputs.cluster, topology_, placement(scenario),
                                     scenario.inputs.gpu.bf16_sustained)),
      world_(platform_),
      router_(policy::make_router(scenario.router, scenario.seed)),
      collector_(run_facts(scenario, workload_)),
      recorder_(collector_, sink, workload_.source->size_hint()),
      host_(engine_host_cost(scenario)) {
  gateway_.emplace(gateway_component, std::move(workload_), front_end(host_),
                   serving::Gateway::Parts{world_, pool_, *router_, recorder_});
  add_replicas(static_cast<std::size_t>(scenario.engine.memory.data_parallel_size));
}

void Simulation::add_replicas(std::size_t count) {
  const serving::EngineConfig config = engine_config(scenario_, host_);
  const std::shared_ptr<cost::IStepCost> cost = step_cost(scenario_, host_);
  for (std::size_t i = 0; i < count; ++i) {
    replicas_.push_back(std::make_unique<serving::Replica>(
        ReplicaId{i}, first_replica_component + static_cast<std::uint32_t>(i), config, cost,
        serving::Replica::Parts{world_, pool_, batcher_, recorder_, *gateway_}));
    gateway_->add_replica(*replicas_.back());
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
