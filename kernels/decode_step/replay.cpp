#include "kernels/decode_step/replay.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace brink::kernels {

namespace {

/// Microseconds with 0.1 us steps: what the clocks resolve, and a third of the digits.
double microseconds(double seconds) { return std::round(seconds * 1e7) / 10; }

void note_tokens(const StepPlan& step, const std::vector<TraceRequest>& trace, double now,
                 std::vector<double>& last_token_s, ReplayResult& result) {
  for (const auto* entries : {&step.decodes, &step.prefills}) {
    for (const StepEntry& entry : *entries) {
      if (!entry.samples) continue;
      const auto r = static_cast<std::size_t>(entry.request);
      if (result.ttft_s[r] < 0) {
        result.ttft_s[r] = now - trace[r].arrival_s;
      } else {
        result.itl_s.push_back(now - last_token_s[r]);
      }
      last_token_s[r] = now;
    }
  }
}

}  // namespace

ReplayResult replay(const std::vector<TraceRequest>& trace, const BatchLimits& limits, StepDevice& device,
                    double wall_limit_s) {
  Batcher batcher(limits, trace);
  ReplayResult result;
  result.ttft_s.assign(trace.size(), -1);
  result.finish_s.assign(trace.size(), -1);
  std::vector<double> last_token_s(trace.size(), 0);
  double now = 0;
  double worked = 0;
  std::size_t next = 0;
  while (worked < wall_limit_s) {
    if (batcher.idle()) {
      if (next == trace.size()) break;
      now = std::max(now, trace[next].arrival_s);
    }
    while (next < trace.size() && trace[next].arrival_s <= now) batcher.arrive(static_cast<int>(next++));
    const StepPlan step = batcher.plan();
    if (step.tokens() == 0) continue;  // everything was preempted: the next step starts it again
    const StepTimes times = device.run(step, batcher);
    const int decodes = static_cast<int>(step.decodes.size());
    result.steps.push_back({now, times, decodes, step.tokens() - decodes, step.context_sum()});
    now += times.wall_s;
    worked += times.wall_s;
    note_tokens(step, trace, now, last_token_s, result);
    for (const int request : batcher.finish(step)) {
      result.finish_s[static_cast<std::size_t>(request)] = now;
      ++result.finished;
    }
  }
  result.preemptions = batcher.preemptions();
  return result;
}

double percentile(std::vector<double> values, double percent) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double at = percent / 100 * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

JsonObject replay_json(const std::vector<TraceRequest>& trace, const ReplayResult& result) {
  std::vector<double> start, wall, gpu, arrival, ttft, finish;
  std::vector<std::int64_t> decodes, prefill, context, padded, input, output;
  std::vector<double> decode_wall, ttft_given;
  for (const StepRecord& step : result.steps) {
    start.push_back(microseconds(step.start_s));
    wall.push_back(microseconds(step.times.wall_s));
    gpu.push_back(microseconds(step.times.gpu_s));
    decodes.push_back(step.decodes);
    prefill.push_back(step.prefill_tokens);
    context.push_back(step.context_sum);
    padded.push_back(step.times.padded);
    if (step.prefill_tokens == 0) decode_wall.push_back(step.times.wall_s);
  }
  for (std::size_t i = 0; i < trace.size(); ++i) {
    arrival.push_back(microseconds(trace[i].arrival_s));
    input.push_back(trace[i].input_tokens);
    output.push_back(trace[i].output_tokens);
    ttft.push_back(microseconds(result.ttft_s[i]));
    finish.push_back(microseconds(result.finish_s[i]));
    if (result.ttft_s[i] >= 0) ttft_given.push_back(result.ttft_s[i]);
  }
  JsonObject json;
  json.set("requests", static_cast<std::int64_t>(trace.size())).set("finished", result.finished);
  json.set("preemptions", result.preemptions);
  for (const double p : {50.0, 99.0}) {
    const std::string prefix = "p" + std::to_string(static_cast<int>(p)) + "_";
    json.set(prefix + "ttft_s", percentile(ttft_given, p)).set(prefix + "itl_s", percentile(result.itl_s, p));
    json.set(prefix + "decode_step_s", percentile(decode_wall, p));
  }
  JsonObject steps;
  steps.set("start_us", start).set("wall_us", wall).set("gpu_us", gpu).set("decodes", decodes);
  steps.set("prefill_tokens", prefill).set("context_sum", context).set("padded", padded);
  JsonObject requests;
  requests.set("arrival_us", arrival).set("input_tokens", input).set("output_tokens", output);
  requests.set("ttft_us", ttft).set("finish_us", finish);
  return json.set("steps", steps).set("per_request", requests);
}

}  // namespace brink::kernels
