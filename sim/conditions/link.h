// What carries the bytes of background consumers away from a rank.
#pragma once

#include <cstdint>

#include "models/base/units.h"
#include "sim/world/i_clock.h"

namespace brink::conditions {

/// Role: a way out of a rank that several streams may share. All ranks of a replica send the same bytes at the
/// same time over links of their own, so one stands for all.
class ILink {
 public:
  virtual ~ILink() = default;
  /// `handler` gets (kind, data) when the last byte has arrived. Transfers may overtake each other.
  virtual void send(Bytes size, world::EventHandler& handler, std::uint32_t kind, std::uint64_t data) = 0;
};

/// One transfer after another in the order they were handed over, each at the full rate, then the latency.
class FifoLink final : public ILink {
 public:
  /// `component` orders its events among those of one instant. `clock` outlives the link.
  FifoLink(world::IClock& clock, std::uint32_t component, BytesPerSecond rate, Seconds latency)
      : clock_(clock), component_(component), rate_(rate), latency_(latency) {}

  void send(Bytes size, world::EventHandler& handler, std::uint32_t kind, std::uint64_t data) override {
    const Seconds now = clock_.now();
    free_at_ = (free_at_ > now ? free_at_ : now) + size / rate_;
    clock_.schedule(free_at_ + latency_, world::Priority::condition, component_, handler, kind, data);
  }
  /// Until everything handed over has left.
  [[nodiscard]] Seconds backlog() const { return free_at_ > clock_.now() ? free_at_ - clock_.now() : Seconds(0.0); }
  [[nodiscard]] BytesPerSecond rate() const { return rate_; }

 private:
  world::IClock& clock_;
  std::uint32_t component_;
  BytesPerSecond rate_;
  Seconds latency_;
  Seconds free_at_{0.0};
};

}  // namespace brink::conditions
