// One engine: a waiting queue, a running list, KV blocks, and a loop of steps.
//
// Host and GPU are two resources. The host forms a batch (`host_before`), the GPU runs it,
// the host handles its output (`host_after`). Without asynchronous scheduling one batch is in
// flight at a time and the two take turns; with it two are, so host work hides behind the GPU
// until it is the longer of the two, and a newcomer joins one step later (vLLM V1,
// v1/engine/core.py step and step_with_batch_queue).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "models/cost/i_step_cost.h"
#include "sim/policy/i_batcher.h"
#include "sim/policy/i_router.h"
#include "sim/serving/decode_set.h"
#include "sim/serving/engine_config.h"
#include "sim/serving/i_recorder.h"
#include "sim/serving/kv_pool.h"
#include "sim/serving/sequence.h"
#include "sim/world/i_clock.h"

namespace brink::serving {

/// Hears from replicas what concerns clients.
class IReplicaListener {
 public:
  virtual ~IReplicaListener() = default;
  /// The first token of `slot` left the engine at `at`.
  virtual void on_first_token(Slot slot, Seconds at) = 0;
  /// The last token of `slot` left the engine at `at`.
  virtual void on_finished(Slot slot, Seconds at) = 0;
};

class Replica final : public world::EventHandler, private policy::IWaitingQueue {
 public:
  struct Parts {
    world::IClock& clock;
    SequencePool& pool;
    const policy::IBatcher& batcher;
    IRecorder& recorder;
    IReplicaListener& listener;
  };

  /// `component` orders the replica's events among those of the same instant and kind. Replicas of one kind
  /// may share a `cost`: its tables are then filled once.
  Replica(ReplicaId id, std::uint32_t component, const EngineConfig& config, std::shared_ptr<cost::IStepCost> cost,
          Parts parts);

  /// A routed request joins the waiting queue now.
  void enqueue(Slot slot);

  [[nodiscard]] policy::ReplicaView view() const;
  [[nodiscard]] const EngineConfig& config() const { return config_; }
  /// Nothing queued, running or in flight, every KV block back.
  [[nodiscard]] bool idle() const;

  void on_event(std::uint32_t kind, std::uint64_t data) override;

 private:
  /// A batch from its forming to the handling of its output.
  struct Batch {
    std::uint64_t number = 0;
    Seconds formed, gpu_end;
    cost::StepTime time;
    std::int64_t decode_sequences = 0, decode_context = 0;
    std::int64_t prefill_tokens = 0, preemptions = 0;
    std::vector<cost::PrefillChunk> chunks;
    std::vector<Slot> first_tokens;  // prefill ends here
    std::vector<Slot> finishing;     // last token comes from here
    std::vector<Slot> preempted;     // their last token before a preemption comes from here
  };

  // IWaitingQueue
  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(waiting_.size()); }
  [[nodiscard]] std::int64_t tokens(std::int64_t i) const override;
  [[nodiscard]] std::int64_t cached(std::int64_t i) const override;
  [[nodiscard]] std::int64_t cached_tokens(const Sequence& s) const;
  void remember_text(const Sequence& s);

  void request_form(Seconds when);
  void form();
  bool form_batch();
  void handle_output();
  void schedule_output();
  bool reserve_blocks();
  void preempt_last();
  void run_chunk(Batch& batch, Slot slot, std::int64_t tokens);
  void admit(Batch& batch, Slot slot, std::int64_t tokens);
  void check(const policy::BatchView& view, const policy::BatchDecision& decision) const;
  void deliver_first_tokens(const Batch& batch, Seconds now, Seconds stream_start);
  Seconds start_streaming(const Batch& batch, Seconds now);
  void record_step(const Batch& batch, Seconds now);

  void link_last(Slot slot);
  void unlink(Slot slot);

  [[nodiscard]] std::size_t depth() const { return config_.async_scheduling ? 2 : 1; }
  [[nodiscard]] Batch& in_flight(std::size_t i) { return batches_[(oldest_ + i) % batches_.size()]; }

  ReplicaId id_;
  std::uint32_t component_;
  EngineConfig config_;
  std::shared_ptr<cost::IStepCost> cost_;
  Parts parts_;

  std::deque<Slot> waiting_;
  Slot first_running_ = no_slot, last_running_ = no_slot;
  Slot partial_ = no_slot;         // the running sequence whose prefill is cut
  std::int64_t running_ = 0;       // seats taken, finishing ones included
  DecodeSet decoding_;
  KvPool kv_;

  std::array<Batch, 2> batches_;
  std::size_t oldest_ = 0, in_flight_ = 0;
  std::uint64_t next_number_ = 0;
  std::int64_t preemptions_ = 0;   // since the last batch was formed
  bool forming_ = false;           // a form event is pending
  Seconds gpu_free_, host_free_;
  Seconds last_output_;
  Seconds stream_free_;            // when the API server has sent all it was handed
  std::vector<bool> seen_texts_;   // prompts of a pool whose KV is cached
  policy::BatchDecision decision_; // reused
};

}  // namespace brink::serving
