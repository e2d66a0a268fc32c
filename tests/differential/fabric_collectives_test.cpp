// Collectives in closed form against every rank as an actor, and against sharing worked out by hand.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/fabric/collective_program.h"
#include "models/fabric/collective_time.h"
#include "models/fabric/topology.h"
#include "sim/world/rank_collective.h"
#include "sim/world/world.h"
#include "tests/support/forked.h"

namespace brink::testing {
namespace {

using fabric::Collective;
using fabric::CollectiveAlgorithm;
using fabric::CollectiveOp;
using fabric::CollectiveProgram;
using fabric::GpuPlace;
using fabric::HopAlphas;
using fabric::RankLayout;
using world::StepCollective;

const HopAlphas alphas{microseconds(6.0), microseconds(1.5), microseconds(4.0)};

fabric::Cluster cluster_of(std::int64_t nodes) {
  fabric::Cluster cluster = fabric::load_cluster(std::string(BRINK_SOURCE_DIR) + "/configs/clusters/nd_h100_v5_2node.json");
  cluster.nodes = nodes;
  return cluster;
}

std::vector<GpuPlace> places(const RankLayout& layout) {
  std::vector<GpuPlace> all;
  for (std::int64_t node = 0; node < layout.nodes; ++node)
    for (std::int64_t gpu = 0; gpu < layout.gpus_per_node; ++gpu) all.push_back({node, gpu});
  return all;
}

/// A cluster with every GPU of `layout` connected, and its world; lives in a child.
struct Machine {
  explicit Machine(const RankLayout& shape)
      : layout(shape), cluster(cluster_of(shape.nodes)), topology(cluster), group(places(shape)),
        platform(world::make_platform(cluster, topology, {group}, FlopsPerSecond(1e15))), world(platform), ranks(world, platform),
        paths(topology, group) {}

  [[nodiscard]] std::vector<std::size_t> hosts() const {
    std::vector<std::size_t> all;
    for (const GpuPlace& place : group) all.push_back(world::host_index(cluster, place));
    return all;
  }

  RankLayout layout;
  fabric::Cluster cluster;
  fabric::Topology topology;
  std::vector<GpuPlace> group;
  world::Platform platform;
  world::World world;
  world::RankCollectives ranks;
  fabric::GroupPaths paths;
};

/// Runs steps and background flows that begin at given times.
struct Driver final : world::EventHandler {
  explicit Driver(Machine& m) : machine(m) {}

  void on_event(std::uint32_t kind, std::uint64_t data) override {
    if (kind == 0) {
      tickets.push_back(machine.ranks.start(steps[data], 0, *this, 1));
    } else if (kind == 1) {
      outcomes.push_back(machine.ranks.take(data));
    } else if (kind == 2) {
      const auto& flow = flows[data];
      machine.world.transfer(flow.from, flow.to, flow.size, 0, *this, 3, data);
    } else {
      flow_ends.push_back(machine.world.now().value());
    }
  }

  void run() {
    for (std::size_t i = 0; i < steps.size(); ++i) machine.world.schedule(Seconds(0.0), world::Priority::step_start, 0, *this, 0, i);
    for (std::size_t i = 0; i < flows.size(); ++i) machine.world.schedule(Seconds(0.0), world::Priority::arrival, 0, *this, 2, i);
    machine.world.run();
  }

  struct Flow {
    std::size_t from, to;
    Bytes size;
  };
  Machine& machine;
  std::vector<world::RankStep> steps;
  std::vector<Flow> flows;
  std::vector<std::uint64_t> tickets;
  std::vector<world::RankOutcome> outcomes;
  std::vector<double> flow_ends;
};

world::RankStep step_of(const Machine& machine, const CollectiveProgram& program, std::int64_t count = 1) {
  world::RankStep step;
  step.hosts = machine.hosts();
  step.compute.assign(step.hosts.size(), Seconds(0.0));
  step.collectives = {{std::make_shared<const CollectiveProgram>(program), count}};
  return step;
}

struct Case {
  CollectiveOp op;
  CollectiveAlgorithm algorithm;
  RankLayout layout;
  double bytes;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << fabric::name(c.op) << ' ' << fabric::name(c.algorithm) << ' ' << c.layout.nodes << 'x' << c.layout.gpus_per_node << ' ' << c.bytes;
}

class ClosedFormAgainstRanks : public ::testing::TestWithParam<Case> {};

TEST_P(ClosedFormAgainstRanks, AgreeToATenthOfAPercent) {
  const Case& c = GetParam();
  const auto times = in_child([&] {
    Machine machine(c.layout);
    const CollectiveProgram program = make_program({c.op, c.algorithm, c.layout, Bytes(c.bytes)}, alphas);
    Driver driver(machine);
    driver.steps = {step_of(machine, program)};
    driver.run();
    std::vector<double> result{closed_form(program, machine.paths).total().value()};
    for (const Seconds t : driver.outcomes.at(0).finish) result.push_back(t.value());
    return result;
  });
  double last = 0.0;
  for (std::size_t rank = 1; rank < times.size(); ++rank) last = std::max(last, times[rank]);
  EXPECT_NEAR(last / times[0], 1.0, 1e-3);
}

std::vector<Case> cases() {
  using enum CollectiveAlgorithm;
  std::vector<Case> all;
  for (const double bytes : {64.0 * 1024, 16.0 * 1048576}) {
    for (const RankLayout layout : {RankLayout{1, 2}, RankLayout{1, 4}, RankLayout{1, 8}, RankLayout{2, 1}, RankLayout{2, 2}, RankLayout{2, 4},
                                    RankLayout{2, 8}, RankLayout{4, 4}}) {
      for (const auto algorithm : {ring, tree, nvls, nvls_tree, one_shot, two_shot, hierarchical})
        if (supports(CollectiveOp::all_reduce, algorithm, layout)) all.push_back({CollectiveOp::all_reduce, algorithm, layout, bytes});
      for (const auto op : {CollectiveOp::all_gather, CollectiveOp::reduce_scatter, CollectiveOp::all_to_all, CollectiveOp::send_recv})
        for (const auto algorithm : {ring, nvls, direct, hierarchical})
          if (supports(op, algorithm, layout)) all.push_back({op, algorithm, layout, bytes});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(fabric, ClosedFormAgainstRanks, ::testing::ValuesIn(cases()));

}  // namespace
}  // namespace brink::testing
