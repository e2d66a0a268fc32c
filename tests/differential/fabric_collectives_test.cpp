// Collectives in closed form against every rank as an actor, and against sharing worked out by hand.
#include <algorithm>
#include <memory>
#include <stdexcept>
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

constexpr double nvlink = 450e9;  // bytes/s each way, of the cluster's description

/// Ends of one ring all-reduce on four of a node's eight GPUs while `size` bytes go from one of them to another.
std::vector<double> ring_beside(double message, std::size_t from, std::size_t to, double size) {
  return in_child([=] {
    Machine machine({1, 8});
    const CollectiveProgram program = make_program({CollectiveOp::all_reduce, CollectiveAlgorithm::ring, {1, 4}, Bytes(message)}, alphas);
    Driver driver(machine);
    driver.steps = {step_of(machine, program)};
    driver.steps[0].hosts.resize(4);
    driver.steps[0].compute.resize(4);
    driver.flows = {{from, to, Bytes(size)}};
    driver.run();
    std::vector<double> result;
    for (const Seconds t : driver.outcomes.at(0).finish) result.push_back(t.value());
    return result;
  });
}

// Six phases of n / 4. On the shared hop the ring gets half a link as long as the flow lasts: rank 0 cannot leave a phase
// before its send has gone, nor rank 1 before it has it. Rank 2 gets its part at full speed, once rank 1 has entered the
// phase and waited its alpha; rank 3 sends to rank 0 as soon as that has entered the phase: it has waited already.
TEST(FabricSharing, AFlowOnOneHopOfARingSlowsWhatDependsOnIt) {
  const double message = 64e6, t = message / 4.0 / nvlink, first = 7.5e-6, alpha = 1.5e-6;
  const auto ends = ring_beside(message, 0, 1, 1e9);
  const double slow = first + 5.0 * alpha + 6.0 * 2.0 * t;
  EXPECT_NEAR(ends[0] / slow, 1.0, 1e-6);
  EXPECT_NEAR(ends[1] / slow, 1.0, 1e-6);
  EXPECT_NEAR(ends[2] / (slow - t), 1.0, 1e-6);
  EXPECT_NEAR(ends[3] / (slow - t - alpha), 1.0, 1e-6);
}

// It ends in the third phase: two phases at half speed; of the third, what the flow has left after two alphas
// and two phases, at half speed, and the rest alone.
TEST(FabricSharing, AFlowThatEndsSlowsThePhasesItMet) {
  const double message = 64e6, each = message / 4.0, t = each / nvlink, first = 7.5e-6, alpha = 1.5e-6;
  const double latency = 0.6e-6, before = (first - latency + 2.0 * alpha) * nvlink;  // in the pauses of the ring it has the link alone
  const double met = 2.0 * each + 0.4 * each;                                        // in the phases as much as the ring
  const auto ends = ring_beside(message, 0, 1, before + met);
  const double expected = first + 5.0 * alpha + 2.0 * 2.0 * t + (0.4 * 2.0 + 0.6) * t + 3.0 * t;
  EXPECT_NEAR(*std::max_element(ends.begin(), ends.end()) / expected, 1.0, 1e-6);
}

TEST(FabricSharing, AFlowOfOthersDoesNotTouchTheRing) {
  const double message = 64e6, alone = 7.5e-6 + 5.0 * 1.5e-6 + 6.0 * message / 4.0 / nvlink;
  for (const double end : ring_beside(message, 4, 5, 1e9)) EXPECT_NEAR(end / alone, 1.0, 1e-6);
}

/// Ends of two steps of the same ranks that begin together.
std::vector<double> two_at_once(const Collective& a, const Collective& b) {
  return in_child([=] {
    Machine machine(a.layout);
    Driver driver(machine);
    for (const Collective& collective : {a, b}) driver.steps.push_back(step_of(machine, make_program(collective, alphas)));
    driver.run();
    std::vector<double> result{closed_form(make_program(a, alphas), machine.paths).alpha.value(), closed_form(make_program(a, alphas), machine.paths).transfer.value()};
    for (const auto& outcome : driver.outcomes) {
      double last = 0.0;
      for (const Seconds t : outcome.finish) last = std::max(last, t.value());
      result.push_back(last);
    }
    return result;
  });
}

TEST(FabricSharing, TwoAllReducesGetHalfOfEveryLink) {
  for (const RankLayout layout : {RankLayout{1, 8}, RankLayout{2, 8}}) {
    for (const auto algorithm : {CollectiveAlgorithm::ring, CollectiveAlgorithm::tree}) {
      const Collective collective{CollectiveOp::all_reduce, algorithm, layout, mib(64)};
      const auto r = two_at_once(collective, collective);
      const double expected = r[0] + 2.0 * r[1];
      EXPECT_NEAR(r.at(2) / expected, 1.0, 1e-2) << fabric::name(algorithm);
      EXPECT_NEAR(r.at(3) / expected, 1.0, 1e-2) << fabric::name(algorithm);
    }
  }
}

// Two ranks, one phase: the small one has half the link to its end, the large one the other half and then all.
TEST(FabricSharing, UnequalAllReducesShareMaxMin) {
  const RankLayout pair{1, 2};
  const Collective small{CollectiveOp::all_reduce, CollectiveAlgorithm::one_shot, pair, Bytes(50e6)};
  Collective large = small;
  large.message = Bytes(150e6);
  const auto r = two_at_once(small, large);
  const double alpha = 7.5e-6;
  EXPECT_NEAR(r.at(2) / (alpha + 2.0 * 50e6 / nvlink), 1.0, 1e-2);
  EXPECT_NEAR(r.at(3) / (alpha + 200e6 / nvlink), 1.0, 1e-2);
}

// Known answer: +1.2 ms on one rank of eight makes the step 1.2 ms longer; the seven others wait.
TEST(FabricRanks, ALateRankIsAWaitOfTheOthers) {
  const auto run = [](double late) {
    return in_child([=] {
      Machine machine({1, 8});
      Driver driver(machine);
      driver.steps = {step_of(machine, make_program({CollectiveOp::all_reduce, CollectiveAlgorithm::ring, {1, 8}, mib(1)}, alphas), 160)};
      for (Seconds& compute : driver.steps[0].compute) compute = milliseconds(10.0);
      driver.steps[0].compute[3] += Seconds(late);
      driver.run();
      std::vector<double> result;
      for (const Seconds t : driver.outcomes.at(0).finish) result.push_back(t.value());
      for (const Seconds t : driver.outcomes.at(0).waiting) result.push_back(t.value());
      return result;
    });
  };
  const auto calm = run(0.0), late = run(1.2e-3);
  for (std::size_t rank = 0; rank < 8; ++rank) {
    EXPECT_NEAR(late[rank] - calm[rank], 1.2e-3, 1e-6) << rank;
    EXPECT_NEAR(calm[8 + rank], 0.0, 1e-9) << rank;
    EXPECT_NEAR(late[8 + rank], rank == 3 ? 0.0 : 1.2e-3, 1e-6) << rank;
  }
}

TEST(FabricRanks, FoldedCollectivesEndTheStepAtTheSameTime) {
  const auto run = [](std::int64_t most) {
    return in_child([=] {
      Machine machine({2, 8});
      Driver driver(machine);
      const CollectiveProgram program = make_program({CollectiveOp::all_reduce, CollectiveAlgorithm::tree, {2, 8}, mib(2)}, alphas);
      driver.steps = {coalesced(step_of(machine, program, 40), most)};
      for (Seconds& compute : driver.steps[0].compute) compute = milliseconds(10.0);
      driver.run();
      return std::vector<double>{driver.outcomes.at(0).finish.at(0).value(), static_cast<double>(machine.ranks.flows())};
    });
  };
  const auto all = run(40), folded = run(4);
  EXPECT_NEAR(folded[0] / all[0], 1.0, 1e-6);
  EXPECT_NEAR(folded[1] / all[1], 0.1, 1e-9);
}

TEST(FabricRanks, StretchedToAMeasuredTime) {
  const auto times = in_child([] {
    Machine machine({1, 8});
    const CollectiveProgram program = make_program({CollectiveOp::all_reduce, CollectiveAlgorithm::nvls, {1, 8}, mib(4)}, alphas);
    Driver driver(machine);
    driver.steps = {step_of(machine, taking(program, machine.paths, microseconds(50.0)))};
    driver.run();
    return std::vector<double>{driver.outcomes.at(0).finish.at(0).value()};
  });
  EXPECT_NEAR(times[0] / 50e-6, 1.0, 1e-3);
}

TEST(FabricRanks, RefusesWhatDoesNotFit) {
  const auto refused = in_child([] {
    Machine machine({1, 2});
    Driver driver(machine);
    world::RankStep step = step_of(machine, make_program({CollectiveOp::all_reduce, CollectiveAlgorithm::ring, {1, 4}, mib(1)}, alphas));
    double count = 0.0;
    const auto attempt = [&] {
      try {
        (void)machine.ranks.start(step, 0, driver, 1);
      } catch (const std::invalid_argument&) {
        count += 1.0;
      }
    };
    attempt();
    step.collectives.clear();
    step.compute.pop_back();
    attempt();
    step.compute.push_back(Seconds(0.0));
    step.hosts[1] = 99;
    attempt();
    return std::vector<double>{count};
  });
  EXPECT_EQ(refused[0], 3.0);
}

}  // namespace
}  // namespace brink::testing
