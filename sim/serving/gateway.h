// The clients and the door of the cluster: requests are sent, pass the API server, are routed
// to a replica, and their answers come back.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "sim/policy/i_router.h"
#include "sim/policy/i_shaper.h"
#include "sim/serving/front_end.h"
#include "sim/serving/i_recorder.h"
#include "sim/serving/idle_model.h"
#include "sim/serving/replica.h"
#include "sim/serving/sequence.h"
#include "sim/workload/workload.h"
#include "sim/world/i_clock.h"

namespace brink::serving {

class Gateway final : public world::EventHandler, public IReplicaListener {
 public:
  struct Parts {
    world::IClock& clock;
    SequencePool& pool;
    policy::IRouter& router;
    IRecorder& recorder;
    policy::IShaper* shaper = nullptr;  // absent: what is sent is what runs
    IdleModel* idle = nullptr;          // absent: latencies on an idle system are not followed
  };

  Gateway(std::uint32_t component, workload::Workload workload, const FrontEnd& front_end, Parts parts);

  /// Replicas in routing order; before start().
  void add_replica(Replica& replica) { replicas_.push_back(&replica); }
  /// These replicas are gone now. Their requests are sent to others, or end here; `cause` is the ledger's event.
  /// Returns how many there were.
  std::int64_t fail(std::span<const std::size_t> replicas, bool retry, world::CauseId cause);
  /// A failed one is back: `replica` takes requests again, those that found no replica first.
  void recover(std::size_t replica);
  /// Whether failed replicas may still come back; until then requests that find none alive wait.
  void set_hope(bool hope);
  /// Schedules the first arrival.
  void start();

  [[nodiscard]] std::int64_t in_flight() const { return in_flight_; }
  /// Requests taken from the workload so far.
  [[nodiscard]] std::int64_t sent() const { return sent_; }
  /// Every request of the workload has ended.
  [[nodiscard]] bool done() const { return !next_ && in_flight_ == 0; }
  /// When the last one so far did.
  [[nodiscard]] Seconds last_end() const { return last_end_; }

  void on_event(std::uint32_t kind, std::uint64_t data) override;
  void on_first_token(Slot slot, Seconds at) override;
  void on_finished(Slot slot, Seconds at) override;

 private:
  void pull();
  void send_next();
  void admit(Slot slot);
  void route(Slot slot);
  void end_at_door(Slot slot, Outcome outcome);
  void find_alive();
  void shape(Sequence& s);
  void deliver(Slot slot);
  [[nodiscard]] bool may_send() const { return !workload_.max_in_flight || in_flight_ < *workload_.max_in_flight; }

  std::uint32_t component_;
  workload::Workload workload_;
  FrontEnd front_end_;
  Parts parts_;
  std::vector<Replica*> replicas_;
  std::vector<std::size_t> alive_;          // into replicas_
  std::vector<bool> dead_;
  std::vector<Slot> parked_;                // found no replica alive
  bool hope_ = false;
  Seconds last_end_;
  std::vector<policy::ReplicaView> views_;  // reused
  std::optional<workload::Request> next_;   // taken from the source, not yet sent
  bool held_back_ = false;                  // next_ is due and waits for the client's cap
  std::int64_t in_flight_ = 0;
  std::int64_t sent_ = 0;
};

}  // namespace brink::serving
