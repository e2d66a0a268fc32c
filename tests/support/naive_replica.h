// The oracle of the replica: vLLM V1's scheduler loop written out request by request, with a
// block table each and no sums. Source: vLLM v1/core/sched/scheduler.py (schedule) and
// v1/engine/core.py (step, step_with_batch_queue). O(batch) a step, no event queue.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <stdexcept>
#include <vector>

#include "models/cost/i_step_cost.h"
#include "sim/serving/engine_config.h"
#include "sim/workload/request.h"
#include "tests/support/rig.h"

namespace brink::testing {

struct NaiveStep {
  std::uint64_t number = 0;
  double end = 0.0;
  std::int64_t decodes = 0, decode_context = 0;
  std::vector<cost::PrefillChunk> chunks;
  std::int64_t running = 0, waiting = 0, kv_used = 0, preemptions = 0, tokens_out = 0, finished = 0;
};

struct NaiveRequest {
  workload::Request request;
  double scheduled = -1.0, first_token = -1.0, finish = -1.0;
  std::int32_t preemptions = 0;
  std::vector<double> token_times;
  // engine state
  std::int64_t known_tokens = 0;  // prompt and generated, those in flight included
  std::int64_t computed = 0;      // in the KV cache once the batches formed so far have run
  std::int64_t generated = 0;
  bool running_decode = false;    // its prompt is done
  std::vector<int> blocks;

  [[nodiscard]] bool done() const { return generated == request.output_tokens; }
};

class NaiveReplica {
 public:
  NaiveReplica(serving::EngineConfig config, FunctionCost::Function cost)
      : config_(config), cost_(std::move(cost)) {
    for (int i = 0; i < config.kv_blocks; ++i) free_.push_back(i);
  }

  void run(const std::vector<workload::Request>& requests) {
    for (const auto& r : requests) {
      all.push_back(std::make_unique<NaiveRequest>());
      all.back()->request = r;
      all.back()->known_tokens = r.input_tokens;
    }
    const std::size_t depth = config_.async_scheduling ? 2 : 1;
    for (;;) {
      while (arrived_ < all.size() && all[arrived_]->request.arrival.value() <= now_) {
        waiting_.push_back(all[arrived_++].get());
      }
      if (in_flight_.size() < depth && schedule()) {
        now_ += in_flight_.back().host_before;
        if (in_flight_.size() < depth) continue;
      }
      if (!in_flight_.empty()) {
        take_output();
      } else if (arrived_ < all.size()) {
        now_ = std::max(now_, all[arrived_]->request.arrival.value());
      } else {
        break;
      }
    }
    if (!waiting_.empty() || !running_.empty()) throw std::logic_error("the oracle is stuck");
  }

  std::vector<std::unique_ptr<NaiveRequest>> all;
  std::vector<NaiveStep> steps;

 private:
  struct Scheduled {
    NaiveRequest* request;
    bool samples;
    bool last;
  };
  struct Batch {
    NaiveStep step;
    std::vector<Scheduled> members;
    double host_before = 0.0, host_after = 0.0, gpu_end = 0.0;
  };

  bool allocate(NaiveRequest& r, std::int64_t tokens) {
    const auto total = static_cast<std::size_t>((r.computed + tokens + config_.block_size - 1) / config_.block_size);
    if (total > r.blocks.size() && total - r.blocks.size() > free_.size()) return false;
    while (r.blocks.size() < total) {
      r.blocks.push_back(free_.back());
      free_.pop_back();
    }
    return true;
  }

  void give_back(NaiveRequest& r) {
    free_.insert(free_.end(), r.blocks.begin(), r.blocks.end());
    r.blocks.clear();
  }

  /// The last of the running list that still has tokens to compute; nullptr when it was `r`.
  void preempt(NaiveRequest& victim) {
    running_.erase(std::find(running_.begin(), running_.end(), &victim));
    give_back(victim);
    victim.computed = 0;
    victim.running_decode = false;
    ++victim.preemptions;
    ++preemptions_;
    waiting_.push_front(&victim);
  }

  bool make_room(NaiveRequest& r, std::int64_t tokens) {
    while (!allocate(r, tokens)) {
      const auto victim = std::find_if(running_.rbegin(), running_.rend(), [](const auto* x) { return !x->done(); });
      NaiveRequest& chosen = **victim;
      preempt(chosen);
      if (&chosen == &r) return false;
    }
    return true;
  }

  void put(Batch& batch, NaiveRequest& r, std::int64_t tokens) {
    if (r.running_decode) {
      ++batch.step.decodes;
      batch.step.decode_context += r.computed + 1;
    } else {
      batch.step.chunks.push_back({tokens, r.computed, r.computed + tokens == r.known_tokens});
    }
    r.computed += tokens;
    const bool samples = r.computed == r.known_tokens;
    if (samples) {
      r.running_decode = true;
      ++r.known_tokens;
      ++r.generated;
      ++batch.step.tokens_out;
    }
    batch.members.push_back({&r, samples, r.done()});
    if (samples && r.done()) ++batch.step.finished;
  }

  bool schedule() {
    Batch batch;
    std::int64_t budget = config_.max_num_batched_tokens;
    const std::int64_t before = preemptions_;
    std::vector<std::pair<NaiveRequest*, std::int64_t>> plan;
    for (std::size_t i = 0; i < running_.size() && budget > 0; ++i) {
      NaiveRequest& r = *running_[i];
      if (r.done()) continue;  // its last token is in flight
      const std::int64_t tokens = std::min(r.known_tokens - r.computed, budget);
      if (!make_room(r, tokens)) break;
      plan.emplace_back(&r, tokens);
      budget -= tokens;
    }
    while (preemptions_ == before && !waiting_.empty() && budget > 0 &&
           static_cast<std::int64_t>(running_.size()) < config_.max_num_seqs) {
      NaiveRequest& r = *waiting_.front();
      std::int64_t tokens = r.known_tokens;
      if (!config_.chunked_prefill && tokens > budget) break;
      tokens = std::min(tokens, budget);
      if (!allocate(r, tokens)) break;
      waiting_.pop_front();
      running_.push_back(&r);
      if (r.scheduled < 0.0) r.scheduled = now_;
      plan.emplace_back(&r, tokens);
      budget -= tokens;
    }
    if (plan.empty()) return false;
    for (const auto& [request, tokens] : plan) put(batch, *request, tokens);

    batch.step.number = number_++;
    batch.step.preemptions = preemptions_ - reported_;
    reported_ = preemptions_;
    const cost::StepTime time = cost_({batch.step.number, batch.step.decodes, batch.step.decode_context,
                                       batch.step.chunks});
    batch.host_before = time.host_before.value();
    batch.host_after = time.host_after.value();
    gpu_free_ = std::max(gpu_free_, now_ + batch.host_before) + time.gpu().value();
    batch.gpu_end = gpu_free_;
    in_flight_.push_back(std::move(batch));
    return true;
  }

  void take_output() {
    Batch batch = std::move(in_flight_.front());
    in_flight_.pop_front();
    now_ = std::max(batch.gpu_end, now_) + batch.host_after;
    for (const Scheduled& member : batch.members) {
      NaiveRequest& r = *member.request;
      if (!member.samples) continue;
      r.token_times.push_back(now_);
      if (r.first_token < 0.0) r.first_token = now_;
      if (!member.last) continue;
      r.finish = now_;
      give_back(r);
      running_.erase(std::find(running_.begin(), running_.end(), &r));
    }
    // An arrival at this very instant queues after the output is handled: not counted yet.
    while (arrived_ < all.size() && all[arrived_]->request.arrival.value() < now_) {
      waiting_.push_back(all[arrived_++].get());
    }
    batch.step.end = now_;
    batch.step.running = static_cast<std::int64_t>(running_.size());
    batch.step.waiting = static_cast<std::int64_t>(waiting_.size());
    batch.step.kv_used = config_.kv_blocks - static_cast<std::int64_t>(free_.size());
    steps.push_back(std::move(batch.step));
  }

  serving::EngineConfig config_;
  FunctionCost::Function cost_;
  std::deque<NaiveRequest*> waiting_;
  std::vector<NaiveRequest*> running_;  // in order of admission
  std::vector<int> free_;
  std::deque<Batch> in_flight_;
  std::size_t arrived_ = 0;
  std::uint64_t number_ = 0;
  std::int64_t preemptions_ = 0, reported_ = 0;
  double now_ = 0.0, gpu_free_ = 0.0;
};

}  // namespace brink::testing
