// Drift as its definition says it: every request remembers every batch it took part in, token by token, and everything
// is worked out when it ends. The oracle of DriftTracker.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "sim/serving/drift_tracker.h"

namespace brink::testing {

class NaiveDrift final : public serving::IDriftTracker {
 public:
  NaiveDrift(const serving::DriftOptions& options, std::shared_ptr<const serving::IReferencePlan> reference)
      : options_(options), reference_(std::move(reference)) {}

  void on_chunk(serving::Slot slot, std::int64_t context, std::int64_t tokens, const serving::BatchSignature& batch) override {
    for (std::int64_t i = 0; i < tokens; ++i) {
      requests_[slot].prompt.push_back({context + i, batch.tokens, batch.repeatable, i == 0});
    }
  }

  void on_decode_start(serving::Slot slot, std::uint64_t, std::int64_t tokens) override {
    end_prefill(requests_[slot]);
    requests_[slot].decodes = true;
    requests_[slot].context = tokens;
  }

  void on_batch(const serving::BatchSignature& batch) override {
    std::int64_t participants = 0, context = 0;
    for (auto& [slot, r] : requests_) {
      if (!r.decodes) continue;
      ++r.context;
      ++participants;
      context += r.context;
    }
    const bool redrawn = !batch.repeatable || batch.tokens != before_.tokens || cut_changed(batch, participants, context);
    for (auto& [slot, r] : requests_) {
      if (r.decodes) decode_token(r, batch, participants == 1, redrawn);
    }
    before_ = batch;
    participants_before_ = participants;
    if (batch.attention != nullptr) {
      rule_ = *batch.attention;
      has_rule_ = true;
    }
  }

  void on_preempted(serving::Slot slot, std::uint64_t) override {
    Request& r = requests_[slot];
    r.prompt.clear();
    if (!r.decodes) return;
    r.decodes = false;
    if (!options_.batch_invariant) r.recomputed.push_back(r.differs.size() + 1);
  }

  serving::DriftOutcome on_finished(serving::Slot slot, std::uint64_t, std::int64_t output_tokens) override {
    Request& r = requests_[slot];
    if (r.decodes) decode_.add(r.last);
    else end_prefill(r);
    const serving::DriftOutcome out = outcome(r, output_tokens);
    requests_.erase(slot);
    return out;
  }

  [[nodiscard]] double prefill_share() const { return prefill_.share(); }
  [[nodiscard]] double decode_share() const { return decode_.share(); }

 private:
  using Order = std::pair<std::uint64_t, std::uint64_t>;  // tokens, attention
  struct PromptToken {
    std::int64_t at = 0;
    plan::ReductionSig tokens = 0;
    bool repeatable = true, begins_chunk = false;
  };
  /// All observations, compared with one another.
  struct Pairs {
    struct Seen {
      std::uint64_t group;
      Order order;
      bool repeatable;
    };
    std::vector<Seen> seen;
    double pairs = 0.0, equal = 0.0;
    void add(const Seen& one) {
      for (const Seen& other : seen) {
        if (other.group != one.group) continue;
        pairs += 1.0;
        if (one.repeatable && other.repeatable && one.order == other.order) equal += 1.0;
      }
      seen.push_back(one);
    }
    [[nodiscard]] double share() const { return pairs == 0.0 ? 1.0 : equal / pairs; }
  };

  struct Request {
    std::vector<PromptToken> prompt;   // of the prefill under way
    std::vector<bool> differs;         // by output token: its own step ran another order than the reference's
    std::vector<std::size_t> recomputed;  // first output tokens after a recompute
    std::int64_t context = 0, chunks = 0, changes = 0;
    bool decodes = false, first_step = true;
    Pairs::Seen last{0, {}, true};     // what its last decode step ran
  };

  static std::int64_t blocks_of(std::int64_t tokens) { return (tokens + 127) / 128; }

  bool cut_changed(const serving::BatchSignature& batch, std::int64_t participants, std::int64_t context) const {
    if (batch.attention == nullptr) return false;
    if (participants <= 1 && participants_before_ <= 1) return false;
    if (!has_rule_ || participants == 0) return true;
    const auto mean = static_cast<std::int64_t>(std::ceil(static_cast<double>(context) / static_cast<double>(participants) / 128.0));
    return batch.attention->splits(mean) != rule_.splits(mean) ||
           (rule_.splits(mean) > 1 && batch.attention->split_tokens(mean) != rule_.split_tokens(mean));
  }

  void end_prefill(Request& r) {
    const bool first = r.differs.empty();
    const std::int64_t start = r.prompt.front().at, end = r.prompt.back().at + 1;
    bool any = false;
    for (std::size_t i = 0; i < r.prompt.size(); ++i) {
      bool chunk_differs = false;
      std::size_t j = i;
      do {
        const serving::IReferencePlan::Order alone = alone_at(r.prompt[j].at, start, end);
        chunk_differs = chunk_differs || !r.prompt[j].repeatable || !alone.repeatable || alone.signature != r.prompt[j].tokens;
      } while (++j < r.prompt.size() && !r.prompt[j].begins_chunk);
      any = any || chunk_differs;
      if (first) {
        const Order order = chunk_differs ? Order{1, r.prompt[i].tokens} : Order{0, 0};
        prefill_.add({alone_at(r.prompt[i].at, start, end).signature, order, r.prompt[i].repeatable});
        ++r.chunks;
      }
      i = j - 1;
    }
    r.differs.push_back(any);
    r.prompt.clear();
    r.first_step = true;
  }

  serving::IReferencePlan::Order alone_at(std::int64_t at, std::int64_t start, std::int64_t end) const {
    std::int64_t from = start;
    while (from + options_.chunk_max <= at) from += options_.chunk_max;
    return reference_->tokens(std::min(options_.chunk_max, end - from));
  }

  void decode_token(Request& r, const serving::BatchSignature& batch, bool only, bool redrawn) {
    const std::int64_t blocks = blocks_of(r.context);
    const serving::IReferencePlan::Order alone = reference_->tokens(1);
    bool attention = true;
    if (batch.attention != nullptr) {
      const plan::ReductionSig ran = batch.attention->signature(blocks);
      attention = ran == reference_->attention(blocks * 128) || (only && ran == reference_->attention(r.context));
    }
    const bool same = batch.repeatable && alone.repeatable && batch.tokens == alone.signature && attention;
    r.differs.push_back(!same);
    if (!r.first_step && redrawn) ++r.changes;
    const plan::ReductionSig ran = batch.attention != nullptr ? batch.attention->signature(blocks) : 0;
    r.last = {static_cast<std::uint64_t>(blocks), same ? Order{0, 0} : Order{batch.tokens, ran}, batch.repeatable};
    if (r.first_step) decode_.add(r.last);
    r.first_step = false;
  }

  serving::DriftOutcome outcome(const Request& r, std::int64_t tokens) const {
    const double h = options_.law.hazard();
    serving::DriftOutcome out;
    long double kept = 1.0L, mass = 0.0L, mean = 0.0L;
    bool exposed = false;
    for (std::size_t t = 1; t <= static_cast<std::size_t>(tokens); ++t) {
      exposed = exposed || r.differs.at(t - 1) || std::find(r.recomputed.begin(), r.recomputed.end(), t) != r.recomputed.end();
      if (!exposed) continue;
      ++out.exposed_tokens;
      mass += kept * h;
      mean += kept * h * static_cast<long double>(t);
      kept *= 1.0L - static_cast<long double>(h);
    }
    out.from_idle = static_cast<double>(mass);
    if (mass > 0.0L) out.first_flip = static_cast<double>(mean / mass);
    out.pairwise = pairwise(r, tokens, h);
    return out;
  }

  double pairwise(const Request& r, std::int64_t tokens, double h) const {
    const std::size_t broken = r.recomputed.empty() ? 0 : r.recomputed.front();
    const std::int64_t until = broken > 0 ? std::min(static_cast<std::int64_t>(broken) - 1, tokens) : tokens;
    const double share = decode_.share();
    const double rate = until > 2 ? std::min(1.0, static_cast<double>(r.changes) / static_cast<double>(until - 2)) : 0.0;
    const double step = std::pow(1.0 - rate, 2.0) + std::pow(rate, 2.0) * share;
    long double agreeing = 1.0L, differing = 0.0L, flipped = 0.0L;
    for (std::int64_t t = 1; t <= tokens; ++t) {
      double keep = t == 1 ? std::pow(prefill_.share(), static_cast<double>(r.chunks)) : t == 2 ? share : step;
      if (broken > 0 && t >= static_cast<std::int64_t>(broken)) keep = 0.0;
      differing += agreeing * (1.0L - static_cast<long double>(keep));
      agreeing *= keep;
      flipped += differing * h;
      differing *= 1.0L - static_cast<long double>(h);
    }
    return static_cast<double>(flipped);
  }

  serving::DriftOptions options_;
  std::shared_ptr<const serving::IReferencePlan> reference_;
  std::map<serving::Slot, Request> requests_;
  Pairs prefill_, decode_;
  serving::BatchSignature before_;
  std::int64_t participants_before_ = 0;
  plan::AttentionPlan rule_;
  bool has_rule_ = false;
};

}  // namespace brink::testing
