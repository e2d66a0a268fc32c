// A small cluster for tests: the real gateway, routers, replicas, seats and blocks around an
// injected step cost and injected requests.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/cost/i_step_cost.h"
#include "sim/policy/fcfs_batcher.h"
#include "sim/policy/i_router.h"
#include "sim/serving/gateway.h"
#include "sim/serving/replica.h"
#include "sim/workload/workload.h"
#include "sim/world/world.h"
#include "tests/support/fake_clock.h"

namespace brink::testing {

/// A step cost made of a function.
class FunctionCost final : public cost::IStepCost {
 public:
  using Function = std::function<cost::StepTime(const cost::StepShape&)>;
  explicit FunctionCost(Function function) : function_(std::move(function)) {}
  cost::StepTime step(const cost::StepShape& shape) override { return function_(shape); }

 private:
  Function function_;
};

/// Requests made of a function of their number; nullopt ends them.
class FunctionSource final : public workload::IRequestSource {
 public:
  using Function = std::function<std::optional<workload::Request>(std::uint64_t)>;
  explicit FunctionSource(Function function) : function_(std::move(function)) {}
  std::optional<workload::Request> next() override { return function_(next_++); }

 private:
  Function function_;
  std::uint64_t next_ = 0;
};

/// Requests from a list; ids are set to their positions.
inline std::unique_ptr<workload::IRequestSource> list_source(std::vector<workload::Request> requests) {
  return std::make_unique<FunctionSource>(
      [list = std::move(requests)](std::uint64_t i) -> std::optional<workload::Request> {
        if (i >= list.size()) return std::nullopt;
        workload::Request request = list[i];
        request.id = RequestId{i};
        return request;
      });
}

inline cost::StepTime gpu_time(Seconds compute, Seconds host_before = Seconds(0.0), Seconds host_after = Seconds(0.0)) {
  cost::StepTime time;
  time.compute = compute;
  time.host_before = host_before;
  time.host_after = host_after;
  return time;
}

/// Keeps everything it hears.
struct Recording final : serving::IRecorder {
  std::vector<serving::RequestRecord> requests;  // in order of their ends
  std::vector<serving::StepRecord> steps;
  std::vector<serving::TokenIntervals> intervals;
  std::vector<std::pair<Seconds, std::int64_t>> in_flight, first_tokens;

  void on_request(const serving::RequestRecord& record) override { requests.push_back(record); }
  void on_step(const serving::StepRecord& record) override { steps.push_back(record); }
  void on_intervals(const serving::TokenIntervals& i) override { intervals.push_back(i); }
  void on_in_flight(Seconds at, std::int64_t count) override { in_flight.emplace_back(at, count); }
  void on_first_tokens(Seconds at, std::int64_t count) override { first_tokens.emplace_back(at, count); }
  void on_queue(ReplicaId, Seconds, std::int64_t) override {}

  [[nodiscard]] const serving::RequestRecord& request(std::uint64_t id) const {
    for (const auto& r : requests) {
      if (r.id.value == id) return r;
    }
    throw std::out_of_range("no record of request " + std::to_string(id));
  }
};

struct NullRecorder final : serving::IRecorder {
  void on_request(const serving::RequestRecord&) override {}
  void on_step(const serving::StepRecord&) override {}
  void on_intervals(const serving::TokenIntervals&) override {}
  void on_in_flight(Seconds, std::int64_t) override {}
  void on_first_tokens(Seconds, std::int64_t) override {}
  void on_queue(ReplicaId, Seconds, std::int64_t) override {}
};

struct Rig {
  serving::EngineConfig engine;
  std::size_t replicas = 1;
  std::string router = "round_robin";
  std::uint64_t seed = 1;
  serving::FrontEnd front_end;
  std::optional<std::int64_t> max_in_flight;
  std::optional<Seconds> stop_sending_at;
  /// The cost of replica i.
  std::function<FunctionCost::Function(std::size_t)> cost;
};

/// Runs the rig on `clock`, driven by `drive`, and checks that nothing is left behind.
inline void run_on(world::IClock& clock, const std::function<void()>& drive, const Rig& rig,
                   std::unique_ptr<workload::IRequestSource> source, serving::IRecorder& recorder) {
  serving::SequencePool pool;
  const policy::FcfsBatcher batcher;
  const auto router = policy::make_router(rig.router, rig.seed);
  workload::Workload workload;
  workload.source = std::move(source);
  workload.max_in_flight = rig.max_in_flight;
  workload.stop_sending_at = rig.stop_sending_at;
  serving::Gateway gateway(0, std::move(workload), rig.front_end, {clock, pool, *router, recorder});
  std::vector<std::unique_ptr<serving::Replica>> replicas;
  for (std::size_t i = 0; i < rig.replicas; ++i) {
    replicas.push_back(std::make_unique<serving::Replica>(
        ReplicaId{i}, static_cast<std::uint32_t>(1 + i), rig.engine, std::make_unique<FunctionCost>(rig.cost(i)),
        serving::Replica::Parts{clock, pool, batcher, recorder, gateway}));
    gateway.add_replica(*replicas.back());
  }
  gateway.start();
  drive();
  for (const auto& replica : replicas) {
    if (!replica->idle()) throw std::logic_error("a replica is not idle at the end: leaked KV blocks or seats");
  }
  if (gateway.in_flight() != 0 || pool.active() != 0) throw std::logic_error("requests are left at the end");
}

inline void run_fake(const Rig& rig, std::unique_ptr<workload::IRequestSource> source,
                     serving::IRecorder& recorder) {
  FakeClock clock;
  run_on(clock, [&] { clock.run(); }, rig, std::move(source), recorder);
}

inline Recording run_fake(const Rig& rig, std::vector<workload::Request> requests) {
  Recording recording;
  run_fake(rig, list_source(std::move(requests)), recording);
  return recording;
}

/// On the real World: once a process (see forked.h).
inline void run_world(const Rig& rig, std::unique_ptr<workload::IRequestSource> source,
                      serving::IRecorder& recorder) {
  world::Platform platform;
  platform.hosts.push_back({"gpu0", FlopsPerSecond(1e12)});
  world::World world(platform);
  run_on(world, [&] { world.run(); }, rig, std::move(source), recorder);
}

}  // namespace brink::testing
