// How far the requests of one replica drift, at a cost that does not grow with the batch.
//
// From the idle system. A sequence runs in the reference's order until a batch first runs another one; from then on its
// KV belongs to another lineage, so every later token is exposed. What has to be found is that first batch. The
// sequences still in order are kept in groups of equal block count, because sequences of one group run attention in
// one order: a group is looked at when the split rule changes, a sequence when it crosses into the next group, and all
// of them leave when the operators on tokens run in another order. An exposed sequence costs nothing until it ends.
//
// Between two executions. How often two executions agree is observed (OrderAgreement) in the first and the last decode
// step of every sequence; how long a pair stays equal follows from the changes of the order while the sequence decodes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/drift/flip_law.h"
#include "sim/serving/i_drift_tracker.h"
#include "sim/serving/i_reference_plan.h"
#include "sim/serving/order_agreement.h"

namespace brink::serving {

struct DriftOptions {
  drift::FlipLaw law;
  /// Recomputed KV equals decoded KV bit by bit.
  bool batch_invariant = false;
  /// Prompt tokens of one chunk of a request alone: max_num_batched_tokens.
  std::int64_t chunk_max = 8192;
};

/// Calls come in the order of the batches, which are numbered without gaps: first on_batch(), then on_chunk() and
/// on_decode_start() of those that prefill in it, then on_finished() of those that end with it. A prefix that was found in
/// the cache counts as in order: the reference finds it too.
class DriftTracker final : public IDriftTracker {
 public:
  DriftTracker(const DriftOptions& options, std::shared_ptr<const IReferencePlan> reference,
               std::shared_ptr<OrderAgreements> agreements);

  void on_chunk(Slot slot, std::int64_t context, std::int64_t tokens, const BatchSignature& batch) override;
  void on_decode_start(Slot slot, std::uint64_t number, std::int64_t tokens) override;
  void on_batch(const BatchSignature& batch) override;
  void on_preempted(Slot slot, std::uint64_t last_batch) override;
  DriftOutcome on_finished(Slot slot, std::uint64_t last_batch, std::int64_t output_tokens) override;

 private:
  enum class Phase : std::uint8_t { prefill, joining, decoding };
  struct Member {
    Phase phase = Phase::prefill;
    bool grouped = false;            // decoding, and in order so far
    std::uint64_t number = 0;        // decodes from the batch after this one
    std::int64_t tokens = 0;         // KV tokens after batch `number`
    std::int64_t produced = 0;       // output tokens before the current prefill ended
    std::int64_t exposed_from = 0;   // output token, from 1; 0: none yet
    std::int64_t broken_from = 0;    // output token from which a preemption makes any two executions differ; 0: none
    std::int64_t chunks = 0;         // of its first prefill
    std::uint64_t first_change = 0, changes = 0;
    std::size_t joining_place = 0;
    // While grouped:
    std::int64_t blocks = 0;         // of 128 tokens, in the last batch
    std::size_t group_place = 0, crossing_place = 0;
  };
  struct Chunk {
    std::int64_t from = 0, to = 0;
    plan::ReductionSig tokens = 0;
    bool repeatable = true;
  };
  struct Group {
    std::vector<Slot> members;
    std::size_t place = 0;           // in occupied_
  };
  static constexpr std::int64_t block = 128;

  [[nodiscard]] Member& member(Slot slot);
  [[nodiscard]] static std::int64_t context(const Member& m, std::uint64_t batch);
  [[nodiscard]] std::vector<Slot>& crossing(const Member& m);
  void end_prefill(Slot slot);
  [[nodiscard]] bool in_order(const Chunk& chunk, std::int64_t start, std::int64_t end) const;
  void count_participants();
  void count_change(const BatchSignature& batch);
  void cross_blocks();
  void check_groups();
  void merge_joined();
  void begin_decoding(Slot slot);
  /// P(two executions agree) gains an observation: the sequence's order in the current batch. Whether it is the reference's.
  bool observe(const Member& m, std::int64_t blocks);
  [[nodiscard]] bool attention_in_order(const Member& m, std::int64_t blocks);
  [[nodiscard]] plan::ReductionSig alone(std::int64_t blocks);
  void expose(Member& m);
  void expose_all();
  void join_group(Slot slot, std::int64_t blocks);
  void leave_group(Slot slot);
  void leave_decoding(Slot slot, std::uint64_t last_batch);
  [[nodiscard]] double pairwise(const Member& m, std::int64_t output_tokens) const;

  DriftOptions options_;
  double hazard_;
  std::shared_ptr<const IReferencePlan> reference_;
  std::shared_ptr<OrderAgreements> agreements_;
  IReferencePlan::Order decode_order_;          // of a decode step alone
  std::vector<plan::ReductionSig> alone_;       // attention alone, by block count

  std::vector<Member> members_;                 // by slot
  std::vector<std::vector<Chunk>> chunks_;      // by slot: the prefill under way
  std::vector<Slot> joining_;                   // decode from the next batch on
  std::vector<Group> groups_;                   // in order so far, by block count
  std::vector<std::int64_t> occupied_;          // groups that have members
  std::array<std::vector<Slot>, block> crossing_;  // their members, by the residue of the batches they cross a block in
  std::int64_t decoding_ = 0, decoding_tokens_ = 0;  // sequences, and their KV tokens

  BatchSignature current_;                      // its attention is rule_, or null
  plan::AttentionPlan rule_;                    // of the last batch that decoded
  std::int64_t participants_ = 0, participants_before_ = 0;  // decoding in the current batch, and in the one before
  bool tokens_in_order_ = true;                 // in the current batch
  bool any_batch_ = false, any_rule_ = false, rule_changed_ = false;
  std::uint64_t changes_ = 0;                   // of the order, over all batches
};

}  // namespace brink::serving
