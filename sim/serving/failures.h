// Replicas that fail and come back, at set instants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/serving/gateway.h"
#include "sim/world/i_clock.h"
#include "sim/world/i_ledger.h"

namespace brink::serving {

/// What becomes of the requests of a failed replica.
enum class OnFailure : std::uint8_t {
  retry,  // sent to another replica, as after a preemption: tokens that were delivered stay delivered
  fail,   // they end there
};

struct Failure {
  std::vector<std::size_t> replicas;      // in the gateway's order, ascending
  Seconds at;
  std::optional<Seconds> recovers_after;  // absent: never
  OnFailure on_failure = OnFailure::retry;
  std::int32_t condition = -1;            // index in /conditions
  std::int64_t rank = -1;                 // whose GPU it was; -1: of no single one
  std::string detail;
};

struct FailureStats {
  std::int64_t failures = 0, recoveries = 0;  // of replicas
  std::int64_t lost = 0;                      // requests that were on them
};

class Failures final : public world::EventHandler {
 public:
  struct Parts {
    world::IClock& clock;
    Gateway& gateway;
    world::ILedger& ledger;
  };

  Failures(std::uint32_t component, std::vector<Failure> failures, Parts parts)
      : component_(component), failures_(std::move(failures)), parts_(parts) {}

  /// Schedules all of them; before the run.
  void start(std::size_t replicas);
  void on_event(std::uint32_t kind, std::uint64_t data) override;

  [[nodiscard]] const FailureStats& stats() const { return stats_; }

 private:
  void fail(const Failure& failure);
  void recover(const Failure& failure);

  std::uint32_t component_;
  std::vector<Failure> failures_;
  Parts parts_;
  std::vector<std::int64_t> reasons_;  // by replica: failures it is down by
  std::size_t recoveries_to_come_ = 0; // of failures that have begun or will
  FailureStats stats_;
};

}  // namespace brink::serving
