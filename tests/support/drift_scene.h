// A replica's batches as drift sees them, without a replica: sequences that prefill, decode, are preempted and end,
// under plans of the real attention rules and made-up orders of the operators on tokens.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "models/plan/attention_plan.h"
#include "sim/serving/drift_tracker.h"

namespace brink::testing {

/// The reference of a replica whose token operators run in `order(tokens)`.
class SceneReference final : public serving::IReferencePlan {
 public:
  using TokenOrder = std::function<Order(std::int64_t tokens)>;

  SceneReference(TokenOrder order, const plan::AttentionHardware& hardware, const plan::AttentionOptions& options)
      : order_(std::move(order)), planner_(hardware, options, names_) {}

  [[nodiscard]] Order tokens(std::int64_t tokens) const override { return order_(tokens); }
  [[nodiscard]] plan::ReductionSig attention(std::int64_t context) const override {
    return planner_.alone(context).signature((context + 127) / 128);
  }
  [[nodiscard]] plan::AttentionPlan plan(const plan::AttentionBatch& batch) const { return planner_.plan(batch); }

 private:
  TokenOrder order_;
  plan::TacticNames names_;
  mutable plan::AttentionPlanner planner_;
};

/// Drives trackers through batches. The caller says who prefills, who is preempted and what the batch is made of.
class DriftScene {
 public:
  struct Live {
    std::int64_t prompt = 0, cached = 0, output = 1;
    std::int64_t prefilled = 0, generated = 0, context = 0;
    bool decoding = false;
  };
  struct Chunk {
    serving::Slot slot;
    std::int64_t tokens;
  };
  using Finished = std::function<void(serving::Slot, std::int64_t output_tokens)>;

  explicit DriftScene(std::shared_ptr<const SceneReference> reference) : reference_(std::move(reference)) {}

  std::vector<serving::IDriftTracker*> trackers;

  void add(serving::Slot slot, std::int64_t prompt, std::int64_t output, std::int64_t cached = 0) {
    live_[slot] = {prompt, cached, output, cached, 0, 0, false};
  }
  [[nodiscard]] const std::map<serving::Slot, Live>& live() const { return live_; }

  /// Gives up the KV of a sequence that prefills or decodes.
  void preempt(serving::Slot slot) {
    Live& one = live_.at(slot);
    for (auto* tracker : trackers) tracker->on_preempted(slot, number_ - 1);
    one.decoding = false;
    one.prefilled = 0;
  }

  /// Runs a batch: all that decode, and these chunks. `order`, when given, overrides that of the operators on tokens.
  /// `finished` is told who ended; the caller asks the trackers.
  void run(const std::vector<Chunk>& chunks, const Finished& finished, const serving::IReferencePlan::Order* order = nullptr) {
    plan::AttentionBatch decode;
    std::int64_t tokens = 0;
    for (auto& [slot, one] : live_) {
      if (!one.decoding) continue;
      ++one.context;
      ++one.generated;
      ++tokens;
      ++decode.sequences;
      decode.context += one.context;
      decode.blocks += (one.context + 127) / 128;
      decode.longest = std::max(decode.longest, one.context);
    }
    for (const Chunk& chunk : chunks) tokens += chunk.tokens;
    const serving::IReferencePlan::Order ran = order != nullptr ? *order : reference_->tokens(tokens);
    const plan::AttentionPlan attention = reference_->plan(decode);
    const serving::BatchSignature batch{number_, ran.signature, ran.repeatable, decode.sequences > 0 ? &attention : nullptr};
    for (auto* tracker : trackers) tracker->on_batch(batch);
    std::vector<serving::Slot> ended;
    for (const auto& [slot, one] : live_) {
      if (one.decoding && one.generated == one.output) ended.push_back(slot);
    }
    for (const Chunk& chunk : chunks) {
      if (run_chunk(chunk, batch)) ended.push_back(chunk.slot);
    }
    for (const serving::Slot slot : ended) {
      finished(slot, live_.at(slot).output);
      live_.erase(slot);
    }
    ++number_;
  }

  [[nodiscard]] std::uint64_t last_batch() const { return number_; }

 private:
  /// Whether the request ends with it.
  bool run_chunk(const Chunk& chunk, const serving::BatchSignature& batch) {
    Live& one = live_.at(chunk.slot);
    for (auto* tracker : trackers) tracker->on_chunk(chunk.slot, one.prefilled, chunk.tokens, batch);
    one.prefilled += chunk.tokens;
    if (one.prefilled < one.prompt + one.generated) return false;
    one.context = one.prompt + one.generated;
    ++one.generated;
    if (one.generated == one.output) return true;
    one.decoding = true;
    for (auto* tracker : trackers) tracker->on_decode_start(chunk.slot, number_, one.context);
    return false;
  }

  std::shared_ptr<const SceneReference> reference_;
  std::map<serving::Slot, Live> live_;
  std::uint64_t number_ = 0;
};

}  // namespace brink::testing
