// Decode iterations a second of one core: the real world and replica, a constant step cost and
// a recorder that does nothing.
#include <chrono>
#include <cstdio>
#include <vector>

#include "tests/support/forked.h"
#include "tests/support/rig.h"

namespace {

using namespace brink;
using namespace brink::testing;

double iterations_per_second(std::int64_t batch, bool async, bool simgrid) {
  return in_child([=] {
    Rig rig;
    rig.engine.max_num_seqs = batch;
    rig.engine.max_num_batched_tokens = 8192;
    rig.engine.max_model_len = 1 << 20;
    rig.engine.kv_blocks = 1 << 24;
    rig.engine.async_scheduling = async;
    rig.max_in_flight = batch;
    std::uint64_t steps = 0;
    rig.cost = [&](std::size_t) {
      return [&](const cost::StepShape&) {
        ++steps;
        return gpu_time(milliseconds(10.0), microseconds(300.0), microseconds(200.0));
      };
    };
    // Answers of 200 tokens on average, ends spread over the steps.
    const std::uint64_t requests = 10'000 * static_cast<std::uint64_t>(batch);
    auto source = std::make_unique<FunctionSource>([=](std::uint64_t i) -> std::optional<workload::Request> {
      if (i * 200 >= 400'000 * static_cast<std::uint64_t>(batch) || i >= requests) return std::nullopt;
      return workload::Request{RequestId{i}, Seconds(0.0), 100, 100 + static_cast<std::int64_t>(i * 37 % 201)};
    });
    NullRecorder recorder;
    const auto begin = std::chrono::steady_clock::now();
    if (simgrid) {
      run_world(rig, std::move(source), recorder);
    } else {
      run_fake(rig, std::move(source), recorder);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    return std::vector<double>{static_cast<double>(steps) / took.count()};
  })[0];
}

}  // namespace

int main() {
  std::printf("batch  scheduling    decode iterations/s   without SimGrid\n");
  for (const bool async : {false, true}) {
    for (const std::int64_t batch : {16, 128, 512}) {
      std::printf("%5lld  %-12s  %19.0f   %15.0f\n", static_cast<long long>(batch), async ? "asynchronous" : "synchronous",
                  iterations_per_second(batch, async, true), iterations_per_second(batch, async, false));
    }
  }
  return 0;
}
