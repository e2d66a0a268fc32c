// What a step costs at rank fidelity: real time of its collectives, every rank an actor.
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "models/fabric/collective_program.h"
#include "models/fabric/topology.h"
#include "sim/world/rank_collective.h"
#include "sim/world/world.h"
#include "tests/support/forked.h"

namespace {

using namespace brink;
using fabric::CollectiveAlgorithm;

struct Steps final : world::EventHandler {
  Steps(world::World& w, world::RankCollectives& r, world::RankStep s, int n) : world(w), ranks(r), step(std::move(s)), left(n) {}
  void on_event(std::uint32_t kind, std::uint64_t ticket) override {
    if (kind == 1) (void)ranks.take(ticket);
    if (left-- > 0) (void)ranks.start(step, 0, *this, 1);
  }
  world::World& world;
  world::RankCollectives& ranks;
  world::RankStep step;
  int left;
};

std::vector<double> measure(const std::string& clusters, std::int64_t nodes, CollectiveAlgorithm algorithm, std::int64_t most) {
  constexpr int steps = 20;
  fabric::Cluster cluster = fabric::load_cluster(clusters + "/nd_h100_v5_2node.json");
  cluster.nodes = nodes;
  const fabric::Topology topology(cluster);
  std::vector<fabric::GpuPlace> group;
  for (std::int64_t node = 0; node < nodes; ++node)
    for (std::int64_t gpu = 0; gpu < 8; ++gpu) group.push_back({node, gpu});
  const world::Platform platform = world::make_platform(cluster, topology, {group}, FlopsPerSecond(1e15));
  world::World world(platform);
  world::RankCollectives ranks(world, platform);
  world::RankStep step;
  for (const auto& place : group) step.hosts.push_back(world::host_index(cluster, place));
  step.compute.assign(group.size(), milliseconds(10.0));
  const auto program = fabric::make_program({fabric::CollectiveOp::all_reduce, algorithm, {nodes, 8}, mib(1)}, {microseconds(6), microseconds(1), microseconds(4)});
  step.collectives = {{std::make_shared<const fabric::CollectiveProgram>(program), 160}};
  Steps all(world, ranks, coalesced(step, most), steps);
  world.schedule(Seconds(0.0), world::Priority::step_start, 0, all, 0, 0);
  const auto began = std::chrono::steady_clock::now();
  world.run();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  return {took.count() / steps, static_cast<double>(ranks.flows()) / steps};
}

}  // namespace

int main(int count, char** arguments) {
  const std::string clusters = count > 1 ? arguments[1] : "configs/clusters";
  std::printf("160 all-reduces a step\nranks algorithm     collectives  ms/step  flows/step  flows/s\n");
  for (const std::int64_t nodes : {1, 2})
    for (const auto algorithm : {CollectiveAlgorithm::one_shot, CollectiveAlgorithm::ring, CollectiveAlgorithm::tree, CollectiveAlgorithm::hierarchical})
      for (const std::int64_t most : {160, 8}) {
        if (!fabric::supports(fabric::CollectiveOp::all_reduce, algorithm, {nodes, 8})) continue;
        const auto r = brink::testing::in_child([&] { return measure(clusters, nodes, algorithm, most); });
        std::printf("%5d %-13s %11d %8.2f %11.0f %8.0f\n", static_cast<int>(nodes * 8), fabric::name(algorithm).c_str(), static_cast<int>(most), 1e3 * r[0], r[1], r[1] / r[0]);
      }
}
