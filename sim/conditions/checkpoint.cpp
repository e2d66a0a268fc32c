#include "sim/conditions/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/conditions/kv_history.h"

namespace brink::conditions {

using serving::KvDeparture;
using serving::KvView;

void Checkpoint::on_batch(const KvView& view, std::int64_t) {
  ++batches_;
  if (running_ && chunk_ == 0) write(view);
  start_if_due(view);
}

void Checkpoint::start_if_due(const KvView& view) {
  if (view.now < due_ || view.now >= settings_.until) return;
  const double periods = std::floor((view.now - settings_.from) / settings_.period);
  // Not below the next: rounding may leave the quotient just under a whole number.
  due_ = std::max(settings_.from + settings_.period * (periods + 1.0), due_ + settings_.period);
  if (running_) {
    ++counts_.missed;
    return;
  }
  const std::int64_t used = view.total - view.free - view.held;
  if (used <= 0) return;
  running_ = true;
  first_after_ = batches_;
  unwritten_ = live_ = used;
  counts_.covered += used;
  if (!parts_.budget.coordinated()) pinned_ = used;
  parts_.events.act(view.now);
  write(view);
}

void Checkpoint::write(const KvView& view) {
  if (unwritten_ == 0) return finish(view);
  const auto whole = std::max<std::int64_t>(1, static_cast<std::int64_t>(settings_.chunk / view.block));
  std::int64_t blocks = std::min(whole, unwritten_);
  if (parts_.budget.coordinated()) {
    blocks = std::min(blocks, parts_.budget.room(view));
    if (blocks <= 0) {
      ++counts_.waits;
      return;
    }
    pinned_ = blocks;
  }
  chunk_ = blocks;
  unwritten_ -= blocks;
  parts_.link.send(view.block * static_cast<double>(blocks), *this, 0, 0);
}

void Checkpoint::on_event(std::uint32_t, std::uint64_t) {
  counts_.written += std::exchange(chunk_, 0);
  const KvView view = parts_.owner.kv_view();
  parts_.events.act(view.now);
  if (parts_.budget.coordinated()) {
    pinned_ = held_;
    give_back(view);
  }
  // The owner's memory is another now.
  write(parts_.owner.kv_view());
}

void Checkpoint::finish(const KvView& view) {
  running_ = false;
  ++counts_.snapshots;
  pinned_ = held_;
  give_back(view);
  live_ = 0;
  parts_.events.rest();
}

void Checkpoint::give_back(const KvView& view) {
  const std::int64_t blocks = std::exchange(held_, 0);
  pinned_ -= blocks;
  if (blocks == 0) return;
  parts_.events.hold(view.now, 0, view.total, 0);
  parts_.owner.return_held(blocks);
}

std::int64_t Checkpoint::retain(const KvView& view, const KvDeparture& request, std::int64_t held_already) {
  if (!running_) return 0;
  const std::int64_t tokens = tokens_before(request, first_after_, batches_ == 0 ? 0 : batches_ - 1);
  const std::int64_t covered = std::min({(tokens + view.block_size - 1) / view.block_size, request.blocks, live_});
  if (covered <= 0) return 0;
  const std::int64_t blocks = take_part(request, covered, held_already);
  held_ += blocks;
  parts_.events.hold(view.now, held_, view.total, blocks);
  return blocks;
}

// Of a request's blocks in the snapshot, those pinned now. Which of them were written already is not known one by
// one: a request's are taken to be spread over the snapshot like those of all live ones.
std::int64_t Checkpoint::take_part(const KvDeparture& request, std::int64_t covered, std::int64_t held_already) {
  const std::int64_t available = std::min(covered, request.blocks - held_already);
  if (!parts_.budget.coordinated()) {
    live_ -= covered;
    return std::min(available, pinned_ - held_);
  }
  const auto part = [&](std::int64_t of) {
    return static_cast<std::int64_t>(static_cast<double>(covered) * static_cast<double>(of) / static_cast<double>(live_) + 0.5);
  };
  const std::int64_t pinned = std::min({part(pinned_ - held_), pinned_ - held_, available});
  const std::int64_t left = std::min(part(unwritten_), unwritten_);
  live_ -= covered;
  // Only what is still there can be written.
  const std::int64_t stays = std::min(unwritten_ - left, live_);
  counts_.skipped += unwritten_ - stays;
  unwritten_ = stays;
  return pinned;
}

}  // namespace brink::conditions
