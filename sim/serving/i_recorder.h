// Role: listens to the serving mechanism. Must not influence it.
#pragma once

#include "sim/serving/records.h"

namespace brink::serving {

class IRecorder {
 public:
  virtual ~IRecorder() = default;

  /// Each request exactly once, when it reaches its terminal state.
  virtual void on_request(const RequestRecord& record) = 0;
  /// Each engine step when it ends; ends are non-decreasing over the whole run.
  virtual void on_step(const StepRecord& record) = 0;
  virtual void on_intervals(const TokenIntervals& intervals) = 0;
  /// The number of requests the clients have in flight changed.
  virtual void on_in_flight(Seconds at, std::int64_t in_flight) = 0;
  /// First tokens delivered (they have no inter-token interval).
  virtual void on_first_tokens(Seconds at, std::int64_t count) = 0;
  /// A replica's queue changed outside a step (an arrival).
  virtual void on_queue(ReplicaId replica, Seconds at, std::int64_t waiting) = 0;
};

}  // namespace brink::serving
