// Nanoseconds of processor time a step that the conditions inside a node cost.
#include <cstdio>
#include <ctime>

#include "tests/unit/conditions/support.h"

namespace {

using namespace brink;
using namespace brink::conditions;
using test::jitter;
using test::slow;
using test::stall;

class NullLedger final : public world::ILedger {
 public:
  world::CauseId add(const world::LedgerEvent&) override { return 1; }
  void extend(world::CauseId, Seconds, Seconds, double, std::int64_t) override {}
};

void measure(const char* what, std::int64_t ranks, std::vector<StepConditions::RankPart> parts, std::vector<StepConditions::JitterPart> pacing) {
  NullLedger ledger;
  StepConditions conditions(ranks, std::move(parts), std::move(pacing), {}, ledger);
  constexpr int steps = 1'000'000, replicas = 16;
  Seconds sum(0.0);
  const std::clock_t begin = std::clock();
  for (int i = 0; i < steps; ++i) {
    auto q = test::query(static_cast<std::uint64_t>(i), 0.001 * i, ranks);
    q.replica = ReplicaId{static_cast<std::uint64_t>(i % replicas)};
    q.compute = milliseconds(10.0 + 0.05 * (i % 97));
    sum += conditions.on_step(q).sync;
  }
  const double took = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  std::printf("%5lld  %-28s %6.0f ns   (%.3f ms a step)\n", static_cast<long long>(ranks), what, took / steps * 1e9, to_ms(sum) / steps);
}

}  // namespace

int main() {
  const Schedule later{Seconds(1e8), Seconds(2e8), {}, {}}, bursts{Seconds(0.0), Seconds(1e9), Seconds(10.0), Seconds(2.5)};
  const RandomStream stream(1, "spread");
  std::printf("ranks  conditions\n");
  for (const std::int64_t ranks : {8, 16}) {
    measure("none acts", ranks, {slow(0, 1, 1.2, later)}, {});
    measure("slow rank", ranks, {slow(0, 1, 1.2)}, {});
    measure("pacing", ranks, {}, {jitter(0, graph_lateness())});
    measure("pacing, slow rank", ranks, {slow(0, 1, 1.2)}, {jitter(1, graph_lateness())});
    measure("pacing, every step stalls", ranks, {stall(0, 1, milliseconds(1.2))}, {jitter(1, graph_lateness())});
    measure("pacing, bursts, slow rank", ranks, {stall(0, 1, milliseconds(1.2), bursts), slow(1, 3, 1.1)}, {jitter(2, graph_lateness())});
    measure("pacing, all GPUs differ", ranks, {{0, std::make_shared<GpuSpread>(GpuSpreadSettings{}, stream)}}, {jitter(1, graph_lateness())});
  }
  return 0;
}
