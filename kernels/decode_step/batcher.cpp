#include "kernels/decode_step/batcher.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/attention/split_plan.h"

namespace brink::kernels {

int StepPlan::tokens() const {
  int total = static_cast<int>(decodes.size());
  for (const StepEntry& entry : prefills) total += entry.count;
  return total;
}

std::int64_t StepPlan::context_sum() const {
  std::int64_t total = 0;
  for (const StepEntry& entry : decodes) total += entry.first + 1;
  return total;
}

Batcher::Batcher(const BatchLimits& limits, const std::vector<TraceRequest>& trace) : limits_(limits) {
  for (const TraceRequest& request : trace) {
    const int total = request.input_tokens + request.output_tokens;
    if (total > limits.context_max || kv_blocks(total) > limits.kv_blocks) {
      throw std::invalid_argument("a request of " + std::to_string(request.input_tokens) + " + " +
                                  std::to_string(request.output_tokens) +
                                  " tokens exceeds the context or the KV blocks there are");
    }
    State s;
    s.prompt = request.input_tokens;
    s.output = request.output_tokens;
    states_.push_back(s);
  }
  for (int block = limits.kv_blocks - 1; block >= 0; --block) free_.push_back(block);
}

void Batcher::arrive(int request) { waiting_.push_back(request); }

bool Batcher::allocate(State& s, int tokens) {
  const int missing = kv_blocks(tokens) - static_cast<int>(s.blocks.size());
  if (missing > static_cast<int>(free_.size())) return false;
  for (int i = 0; i < missing; ++i) {
    s.blocks.push_back(free_.back());
    free_.pop_back();
  }
  return true;
}

void Batcher::release(State& s) {
  while (!s.blocks.empty()) {
    free_.push_back(s.blocks.back());
    s.blocks.pop_back();
  }
}

void Batcher::preempt_last() {
  const int victim = running_.back();
  running_.pop_back();
  release(state(victim));
  state(victim).computed = 0;
  waiting_.push_front(victim);
  ++preemptions_;
}

void Batcher::add(StepPlan& step, int request, int count) {
  const State& s = state(request);
  const StepEntry entry = {request, s.computed, count, s.computed + count == s.known()};
  const bool decode = s.generated > 0 && s.computed + 1 == s.known();
  (decode ? step.decodes : step.prefills).push_back(entry);
}

StepPlan Batcher::plan() {
  StepPlan step;
  int budget = limits_.tokens_max;
  const int preemptions_before = preemptions_;
  for (std::size_t i = 0; i < running_.size() && budget > 0; ++i) {
    const int request = running_[i];
    State& s = state(request);
    const int count = std::min(s.known() - s.computed, budget);
    // A victim is never in this step already: those stand before position i.
    while (i < running_.size() && !allocate(s, s.computed + count)) preempt_last();
    if (i >= running_.size()) break;  // it had to preempt itself
    add(step, request, count);
    budget -= count;
  }
  if (preemptions_ != preemptions_before) return step;
  while (!waiting_.empty() && budget > 0 && static_cast<int>(running_.size()) < limits_.seats_max) {
    const int request = waiting_.front();
    State& s = state(request);
    const int count = std::min(s.known(), budget);
    if (!allocate(s, count)) break;
    waiting_.pop_front();
    running_.push_back(request);
    add(step, request, count);
    budget -= count;
  }
  return step;
}

std::vector<int> Batcher::finish(const StepPlan& step) {
  std::vector<int> finished;
  for (const auto* entries : {&step.decodes, &step.prefills}) {
    for (const StepEntry& entry : *entries) {
      State& s = state(entry.request);
      s.computed = entry.first + entry.count;
      if (!entry.samples) continue;
      if (++s.generated < s.output) continue;
      release(s);
      running_.erase(std::find(running_.begin(), running_.end(), entry.request));
      finished.push_back(entry.request);
    }
  }
  return finished;
}

}  // namespace brink::kernels
