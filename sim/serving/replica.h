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
#include <memory>
#include <optional>
#include <vector>

#include "models/cost/i_step_cost.h"
#include "sim/policy/i_batcher.h"
#include "sim/policy/i_router.h"
#include "sim/policy/i_tenant_turn.h"
#include "sim/serving/batch.h"
#include "sim/serving/engine_config.h"
#include "sim/serving/i_kv_consumer.h"
#include "sim/serving/i_recorder.h"
#include "sim/serving/journal.h"
#include "sim/serving/kv_pool.h"
#include "sim/serving/lane.h"
#include "sim/serving/sequence.h"
#include "sim/serving/sliding_p95.h"
#include "sim/serving/surroundings.h"
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

/// How loaded a replica is, for who shapes requests.
struct ReplicaLoad {
  std::int64_t waiting = 0, running = 0;
  Seconds queue_p95, step_time;  // measured only where Surroundings::measure_load asks for it
};

class Replica final : public world::EventHandler, public IKvOwner, private policy::IWaitingQueue {
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
          Parts parts, Surroundings surroundings = {});

  /// A background user of its KV blocks; it outlives the replica.
  void add_consumer(IKvConsumer& consumer) { consumers_.push_back(&consumer); }

  /// A routed request joins the waiting queue now.
  void enqueue(Slot slot);

  // With disaggregation (sim/serving/handover.h)
  /// Takes blocks for the KV of a prompt from elsewhere and of its next token; false when there are too few, or
  /// preempted requests wait for theirs.
  [[nodiscard]] bool reserve_import(Slot slot);
  /// The KV is there: the request decodes as soon as it has a seat.
  void import(Slot slot);
  /// The KV of a prompt that was prefilled here is elsewhere.
  void release_handed_over(Slot slot);

  /// It is gone, with its KV. Returns the requests it had, those that ran first, each with the tokens that had left
  /// the engine and the rest to be computed again. No requests until recover().
  [[nodiscard]] std::vector<Slot> fail();
  /// It is back, empty.
  void recover();

  [[nodiscard]] policy::ReplicaView view() const;
  [[nodiscard]] ReplicaLoad load() const;
  [[nodiscard]] const EngineConfig& config() const { return config_; }
  /// Nothing queued, running or in flight, every KV block back.
  [[nodiscard]] bool idle() const;

  void on_event(std::uint32_t kind, std::uint64_t data) override;

  // IKvOwner
  [[nodiscard]] KvView kv_view() const override;
  void return_held(std::int64_t blocks) override;

 private:
  // IWaitingQueue: that of the lane a batch is being formed for.
  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(lane_->waiting.size()); }
  [[nodiscard]] std::int64_t tokens(std::int64_t i) const override;
  [[nodiscard]] std::int64_t cached(std::int64_t i) const override;
  [[nodiscard]] std::int64_t cached_tokens(const Sequence& s) const;
  void remember_text(const Sequence& s);
  [[nodiscard]] std::int64_t waiting() const;

  // The loop (replica.cpp)
  void request_form(Seconds when);
  void wake();
  void form();
  bool form_any_batch();
  void schedule_output();
  void check_not_stuck() const;

  // Forming a batch (replica_batch.cpp)
  bool form_batch();
  policy::BatchView batch_view(bool preempted) const;
  void begin(Batch& batch);
  void launch(Batch& batch);
  bool reserve_blocks();
  void preempt_last();
  void take_blocks(Sequence& s, std::int64_t blocks);
  void run_chunk(Batch& batch, Slot slot, std::int64_t tokens);
  void admit(Batch& batch, Slot slot, std::int64_t tokens);
  void join_imported();
  void announce_chunks(const Batch& batch) const;
  [[nodiscard]] bool hands_over(const Sequence& s) const;
  void check(const policy::BatchView& view, const policy::BatchDecision& decision) const;
  /// Gives the blocks back but for what consumers keep.
  void release_blocks(Slot slot, std::int64_t tokens, bool preempted);
  void follow_drift(const Batch& batch);

  // Failing (replica_failure.cpp)
  [[nodiscard]] std::vector<Slot> all_requests() const;
  [[nodiscard]] std::int64_t under_way(const Lane& lane, std::uint64_t first, std::uint64_t last) const;
  [[nodiscard]] std::int64_t lost_with_preemption(const Lane& lane, Slot slot) const;
  void forget(Slot slot);
  void reset();

  // Handling its output (replica_output.cpp)
  void handle_output();
  void tell_intervals(const Batch& batch, Seconds now);
  void hand_over(const Batch& batch, Seconds now);
  void deliver_first_tokens(const Batch& batch, Seconds now, Seconds stream_start);
  Seconds start_streaming(const Batch& batch, Seconds now);
  void control(const Batch& batch, Seconds now);
  void record_step(const Batch& batch, Seconds now);

  void link_last(Slot slot);
  void unlink(Slot slot);

  [[nodiscard]] std::size_t depth() const { return config_.async_scheduling ? 2 : 1; }
  [[nodiscard]] Batch& in_flight(std::size_t i) { return batches_[(oldest_ + i) % batches_.size()]; }
  [[nodiscard]] Lane& lane_of(const Sequence& s) { return lanes_[static_cast<std::size_t>(s.lane)]; }

  ReplicaId id_;
  std::uint32_t component_;
  EngineConfig config_;
  std::shared_ptr<cost::IStepCost> cost_;
  Parts parts_;
  Surroundings around_;
  std::vector<IKvConsumer*> consumers_;

  std::vector<Lane> lanes_;        // one; with isolated tenants one each
  Lane* lane_;                     // whose batch is being formed
  std::unique_ptr<policy::ITenantTurn> turn_;  // with isolated tenants
  Slot first_running_ = no_slot, last_running_ = no_slot;
  std::int64_t running_ = 0;       // seats taken, finishing ones included
  KvPool kv_;
  memory::BlockHistory blocks_;    // where in memory the pool's blocks end up
  policy::ControlLimits limits_;   // of the next batch
  std::optional<SlidingP95> queue_times_;
  Seconds step_time_;              // of the last step

  std::array<Batch, 2> batches_;
  std::size_t oldest_ = 0, in_flight_ = 0;
  std::uint64_t next_number_ = 0;
  std::int64_t preemptions_ = 0;   // since the last batch was formed
  bool forming_ = false;           // a form event is pending
  std::uint64_t life_ = 0;         // failures so far: events of an earlier life are void
  std::int64_t moving_ = 0;        // prompts whose KV leaves, or whose blocks wait for it
  std::vector<Slot> joined_;       // imported since the last batch was formed
  Seconds gpu_free_, host_free_;
  Seconds last_end_;               // of the step before
  Seconds stream_free_;            // when the API server has sent all it was handed
  policy::BatchDecision decision_; // reused
};

}  // namespace brink::serving
