#include "sim/conditions/pin_events.h"

namespace brink::conditions {

world::CauseId PinEvents::act(Seconds now) {
  if (acting_) {
    ledger_.extend(root_, now, Seconds(0.0), 0.0, 0);
    return root_;
  }
  world::LedgerEvent event;
  event.kind = world::EventKind::condition;
  event.at = now;
  event.replica = replica_;
  event.condition = condition_;
  event.detail = name_;
  acting_ = true;
  root_ = ledger_.add(event);
  return root_;
}

void PinEvents::hold(Seconds now, std::int64_t held, std::int64_t total, std::int64_t more) {
  const double share = static_cast<double>(held) / static_cast<double>(total);
  if (!pinning_) {
    if (share < noticeable) return;
    const world::CauseId root = act(now);
    pinning_ = true;
    if (pinned_root_ != root || now - pinned_until_ > pause_max) {
      world::LedgerEvent event;
      event.kind = world::EventKind::pin;
      event.at = now;
      event.replica = replica_;
      event.cause = pinned_root_ = root;
      event.amount = static_cast<double>(held);
      event.detail = name_;
      pin_ = ledger_.add(event);
      pinned_until_ = now;
      return;
    }
  }
  ledger_.extend(pin_, now, Seconds(0.0), static_cast<double>(more), more > 0 ? 1 : 0);
  pinned_until_ = now;
  pinning_ = share >= noticeable / 2.0;
}

}  // namespace brink::conditions
