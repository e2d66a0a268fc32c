#include "sim/conditions/replication.h"

#include <algorithm>

#include "sim/conditions/kv_history.h"

namespace brink::conditions {

using serving::KvDeparture;
using serving::KvView;

void Replication::on_batch(const KvView& view, std::int64_t tokens) {
  const std::uint64_t batch = batches_++;
  decode_sequences_ = view.decode_sequences;
  block_size_ = view.block_size;
  if (!active(view.now)) return parts_.events.rest();
  parts_.events.act(view.now);
  counts_.written += tokens;
  if (!parts_.budget.coordinated()) return send(view, batch, tokens);
  if (waiting_ == 0) waiting_since_ = batch;
  waiting_ += tokens;
  // What waits is of live requests: estimates of what left with a request never outgrow that.
  const std::int64_t live = (view.total - view.free - view.held) * view.block_size;
  counts_.skipped += std::max<std::int64_t>(0, waiting_ - live);
  waiting_ = std::min(waiting_, live);
  send_waiting(view);
}

void Replication::send(const KvView& view, std::uint64_t first_batch, std::int64_t tokens) {
  if (tokens <= 0) return;
  deltas_.push_back({transfers_++, first_batch, tokens, 0, false});
  under_way_ += tokens;
  const Bytes size = view.block * (static_cast<double>(tokens) / static_cast<double>(view.block_size));
  parts_.link.send(size, *this, 0, deltas_.back().number);
}

void Replication::send_waiting(const KvView& view) {
  if (waiting_ == 0 || !deltas_.empty()) return;
  // Every sequence that decodes may pin a block for a single token.
  const std::int64_t room = parts_.budget.room(view) - std::min(decode_sequences_, waiting_);
  const auto chunk = static_cast<std::int64_t>(settings_.chunk / view.block);
  const std::int64_t blocks = std::min(room, std::max<std::int64_t>(1, chunk));
  if (blocks <= 0) {
    ++counts_.waits;
    return;
  }
  const std::int64_t tokens = std::min(waiting_, blocks * view.block_size);
  const std::uint64_t first = waiting_since_;
  const auto span = static_cast<double>(batches_ - waiting_since_);
  waiting_since_ += static_cast<std::uint64_t>(span * static_cast<double>(tokens) / static_cast<double>(waiting_));
  waiting_ -= tokens;
  send(view, first, tokens);
}

std::int64_t Replication::retain(const KvView& view, const KvDeparture& request, std::int64_t held_already) {
  if (batches_ == 0) return 0;
  std::int64_t covered = request.tokens;  // by deltas, at most
  if (waiting_ > 0) {
    covered = tokens_before(request, waiting_since_, last_batch());
    const std::int64_t skipped = std::min(waiting_, request.tokens - covered);
    waiting_ -= skipped;
    counts_.skipped += skipped;
  }
  if (deltas_.empty()) return 0;
  const std::int64_t sent = tokens_before(request, deltas_.front().first_batch, last_batch());
  if (sent >= covered) return 0;
  const std::int64_t touched = (covered + view.block_size - 1) / view.block_size - sent / view.block_size;
  const std::int64_t blocks = std::clamp<std::int64_t>(touched, 0, request.blocks - held_already);
  deltas_.back().held += blocks;
  held_ += blocks;
  parts_.events.hold(view.now, held_, view.total, blocks);
  return blocks;
}

// A delta gives back what it held once it and all before it are there.
void Replication::on_event(std::uint32_t, std::uint64_t data) {
  const std::uint64_t first = deltas_.front().number;
  deltas_[static_cast<std::size_t>(data - first)].sent = true;
  std::int64_t returned = 0;
  while (!deltas_.empty() && deltas_.front().sent) {
    under_way_ -= deltas_.front().tokens;
    counts_.sent += deltas_.front().tokens;
    returned += deltas_.front().held;
    deltas_.pop_front();
  }
  held_ -= returned;
  if (returned > 0) {
    const KvView view = parts_.owner.kv_view();
    parts_.events.hold(view.now, held_, view.total, 0);
    parts_.owner.return_held(returned);
  }
  if (waiting_ > 0) send_waiting(parts_.owner.kv_view());
}

// Whole blocks of what is under way, and the last, part-filled block of every sequence that decodes.
std::int64_t Replication::pinned() const {
  if (under_way_ == 0) return 0;
  const std::int64_t tails = std::min(decode_sequences_, under_way_);
  const std::int64_t blocks = (under_way_ + tails * (block_size_ - 1) + block_size_ - 1) / block_size_;
  return std::max(held_, blocks);
}

}  // namespace brink::conditions
