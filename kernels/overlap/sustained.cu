#include "kernels/overlap/sustained.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <thread>

#include "kernels/overlap/matmul.h"

namespace brink::kernels {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Runs a load for a while and writes clocks, power and speed every tenth of a second.
void sustained_point(Session& session, const char* load, double seconds, double work_per_round,
                     const std::function<void()>& verify, const std::function<void()>& round) {
  session.point(JsonObject().set("op", "sustained").set("load", load).set("seconds", seconds), [&](PointResult& r) {
    verify();
    r.verified = true;
    std::vector<double> at_s, rate, clock, power, heat;
    std::vector<double> reasons;
    const auto energy_before = session.nvml().energy_j();
    const Clock::time_point start = Clock::now();
    while (seconds_since(start) < seconds) {
      const Clock::time_point begin = Clock::now();
      double rounds = 0;
      while (seconds_since(begin) < 0.1) {
        round();
        session.synchronize();
        ++rounds;
      }
      const double spent = seconds_since(begin);
      round();  // the probe must find the GPU at work, not just idle
      clock.push_back(session.probe_clock_mhz());
      at_s.push_back(seconds_since(start));
      rate.push_back(work_per_round * rounds / spent);
      power.push_back(session.nvml().power_w().value_or(NAN));  // written as null
      const auto celsius = session.nvml().temperature_c();
      heat.push_back(celsius ? static_cast<double>(*celsius) : NAN);
      reasons.push_back(static_cast<double>(session.nvml().throttle_reasons()));
    }
    const double total_s = seconds_since(start);
    const auto energy_after = session.nvml().energy_j();
    session.note_throttle(r.timing);
    r.metrics.set("t_s", at_s).set("rate_per_s", rate).set("clock_mhz", clock).set("power_w", power);
    r.metrics.set("temperature_c", heat).set("clocks_event_reasons", reasons);
    if (energy_before && energy_after) r.metrics.set("mean_power_w", (*energy_after - *energy_before) / total_s);
    if (rate.size() >= 4) {
      const std::vector<double> late(rate.begin() + static_cast<std::ptrdiff_t>(rate.size() / 2), rate.end());
      r.metrics.set("burst_rate_per_s", *std::max_element(rate.begin(), rate.end()));
      r.metrics.set("sustained_rate_per_s", summarize(late).median_s);
    }
    r.metrics.set("work_unit", std::string(load) == "matmul" ? "flop" : "byte");
  });
}

}  // namespace

void run_sustained(Session& session, const Traffic& traffic) {
  const auto step_round = [&] {
    for (int i = 0; i < 8; ++i) traffic.enqueue_step(session.stream());
  };
  sustained_point(session, "idle", 1.0, 0, [] {}, [] { std::this_thread::sleep_for(std::chrono::milliseconds(5)); });
  sustained_point(session, "decode_reads", 3.0, 8.0 * static_cast<double>(Traffic::step_bytes),
                  [&] { traffic.verify_step(); }, step_round);
  const JsonObject marker = JsonObject().set("op", "sustained").set("load", "matmul").set("seconds", 10.0);
  if (!session.wanted(marker)) return;
  const SquareMatmul product(8192, session.stream());
  sustained_point(session, "matmul", 10.0, 8 * product.flops(), [&] { product.verify(session.stream()); }, [&] {
    for (int i = 0; i < 8; ++i) product.enqueue(session.stream());
  });
}

}  // namespace brink::kernels
