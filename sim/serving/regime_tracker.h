// In which regime a replica is at every moment, what pushed it there, and how long it stayed.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "models/memory/regime.h"
#include "sim/serving/sliding_p95.h"
#include "sim/world/i_ledger.h"

namespace brink::serving {

/// The KV pool of a replica as the regimes see it.
struct RegimeSample {
  std::int64_t total = 0;       // blocks
  std::int64_t free = 0;        // evictable cached blocks included
  std::int64_t held = 0;        // of departed requests, kept by background consumers; not in `free`
  std::int64_t pinned = 0;      // by background consumers, of live and departed requests; >= held
  Bytes block;                  // on one rank
  world::CauseId pin_cause = 0; // event that pins most of it
  Seconds oldest_wait{0.0};     // age of the head of the waiting queue; 0: nobody waits
};

/// Why the label changed.
enum class RegimeReason : std::uint8_t {
  isolation,  // the posture of the whole run
  pins,       // memory: without the pins the predicate would not hold
  load,       // memory: what live requests use is enough
  paging,     // a preemption, eviction-recompute or offload
  queue,      // requests waited
  relief,     // a predicate of higher priority stopped holding
};
[[nodiscard]] const char* name(RegimeReason reason);

struct RegimeTransition {
  Seconds at;
  memory::Regime from = memory::Regime::normal, to = memory::Regime::normal;
  RegimeReason reason = RegimeReason::load;
  /// Event to blame: of the pins, or of the paging; 0: the load itself, or relief.
  world::CauseId cause = 0;
};

/// The state is a function of time: that of the last sample, of the queue times of requests scheduled within
/// the queue window, and of the last paging. It therefore changes between steps too, when a window passes.
class RegimeTracker {
 public:
  /// Pins of live requests are subtracted from what is free, as the article's function does; else those of
  /// departed requests only, which are what the pool really lacks.
  struct Settings {
    memory::RegimeThresholds thresholds;
    bool isolation_strict = false;
    bool count_live_pins = true;
  };

  explicit RegimeTracker(const Settings& settings);
  RegimeTracker(const memory::RegimeThresholds& thresholds, bool isolation_strict)
      : RegimeTracker(Settings{thresholds, isolation_strict, true}) {}

  // Times never fall, over all three.
  /// A request was put into a batch for the first time after `queue_time`.
  void on_scheduled(Seconds queue_time, Seconds now);
  /// KV was taken from a running request; `cause` is the ledger's event of it.
  void on_paging(Seconds now, world::CauseId cause = 0);
  /// The state at `now`, when a step ends. O(log n) in the requests of the window, amortised.
  memory::RegimeState classify(Seconds now, const RegimeSample& sample);

  [[nodiscard]] memory::RegimeState state() const { return state_; }
  /// Of the requests scheduled within the window; when there are none, the age of the head of the queue.
  [[nodiscard]] Seconds queue_p95() const;
  /// Changes of the label since the last call, oldest first. Valid until the next call of any member.
  [[nodiscard]] std::span<const RegimeTransition> take_transitions();

  /// Changes of any predicate since the last call, oldest first; where one holds from the beginning, that is one at
  /// time 0. Valid until the next call of any member.
  [[nodiscard]] std::span<const memory::RegimeChange> take_changes();

  /// Counts the time up to `now`.
  void finish(Seconds now) { advance(now); }
  /// Since time 0; the times of all labels add up to the time followed.
  [[nodiscard]] Seconds time_in(memory::Regime label) const { return by_label_[static_cast<std::size_t>(label)]; }
  /// In which the predicate held, whatever the label.
  [[nodiscard]] Seconds time_with(memory::Regime predicate) const { return by_bit_[static_cast<std::size_t>(predicate)]; }

 private:
  void advance(Seconds now);
  void spend(Seconds until);
  void evaluate();
  /// `pinned` blocks are withheld.
  [[nodiscard]] memory::RegimeInputs inputs(std::int64_t pinned) const;
  [[nodiscard]] RegimeTransition explain(memory::Regime from, memory::Regime to) const;

  Settings settings_;
  SlidingP95 queue_;
  RegimeSample sample_;
  bool sampled_ = false;
  bool stale_ = false;  // something was added at now_ and not looked at yet
  Seconds now_;
  bool paged_ = false;
  Seconds last_paging_;
  world::CauseId paging_cause_ = 0;
  memory::RegimeState state_;
  std::vector<RegimeTransition> transitions_, taken_;
  std::vector<memory::RegimeChange> changes_, taken_changes_;
  std::array<Seconds, memory::regime_count> by_label_{}, by_bit_{};
};

}  // namespace brink::serving
