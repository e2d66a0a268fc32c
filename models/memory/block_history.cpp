#include "models/memory/block_history.h"

#include <algorithm>

#include <fmt/format.h>

#include "models/base/error.h"

namespace brink::memory {
namespace {

/// Pairs among that many blocks in a row.
double pairs(std::int64_t blocks) { return static_cast<double>(std::max<std::int64_t>(0, blocks - 1)); }

}  // namespace

BlockHistory::BlockHistory(std::int64_t blocks) : free_(blocks) {
  if (blocks > 0) queue_.push_back({blocks, 0.0});
}

double BlockHistory::pop(std::int64_t blocks) {
  if (blocks > free_) throw Error(fmt::format("block history: {} blocks asked for, {} free", blocks, free_));
  free_ -= blocks;
  double breaks = 0.0;
  while (blocks > 0) {
    Segment& head = queue_.front();
    const std::int64_t part = std::min(blocks, head.blocks);
    const double density = head.blocks > 1 ? head.breaks / pairs(head.blocks) : 0.0;
    breaks += head_break_ + density * pairs(part);
    head.breaks -= density * static_cast<double>(part);
    head.blocks -= part;
    blocks -= part;
    head_break_ = density;
    if (head.blocks > 0) continue;
    queue_.pop_front();
    head_break_ = 1.0;
  }
  return breaks;
}

void BlockHistory::push(std::int64_t blocks, double breaks) {
  if (blocks <= 0) return;
  queue_.push_back({blocks, std::clamp(breaks, 0.0, pairs(blocks))});
  free_ += blocks;
}

void BlockHistory::take(BlockTable& table, std::int64_t blocks) {
  if (blocks <= 0) return;
  const double before = head_break_;
  double breaks = pop(blocks);
  if (table.blocks == 0) {
    breaks -= before;  // the first block of a sequence has none before it
    ++live_sequences_;
  } else {
    breaks += 1.0 - before;  // others were served since
  }
  table.blocks += blocks;
  table.breaks += breaks;
  live_blocks_ += blocks;
  live_breaks_ += breaks;
}

// Two or more sequences take turns, so that none gets neighbours; one alone goes on where it was.
void BlockHistory::grow(std::int64_t count, std::int64_t decoding) {
  if (count <= 0) return;
  const double popped = pop(count);
  const double breaks = decoding == 1 ? popped : static_cast<double>(count);
  live_blocks_ += count;
  live_breaks_ += breaks;
  grown_ += count;
  grown_breaks_ += breaks;
}

void BlockHistory::give_back(const BlockTable& table, std::int64_t grown, std::int64_t held) {
  const std::int64_t blocks = table.blocks + grown;
  if (blocks <= 0) return;
  const double grown_breaks = grown_ > 0 ? grown_breaks_ * static_cast<double>(grown) / static_cast<double>(grown_) : 0.0;
  live_blocks_ -= blocks;
  live_breaks_ -= table.breaks + grown_breaks;
  --live_sequences_;
  grown_ -= grown;
  grown_breaks_ -= grown_breaks;
  // Of n grown blocks in a row n - 1 pairs stay inside their segment; the pair with the prompt's last block is
  // between the two.
  const double inner = grown > 0 ? grown_breaks * pairs(grown) / static_cast<double>(grown) : 0.0;
  const std::int64_t late_grown = std::min(held, grown), late_prompt = std::min(held - late_grown, table.blocks);
  const auto part = [](std::int64_t kept, std::int64_t all) {
    return all > 0 ? static_cast<double>(kept) / static_cast<double>(all) : 0.0;
  };
  held_ += late_grown + late_prompt;
  held_breaks_ += inner * part(late_grown, grown) + table.breaks * part(late_prompt, table.blocks);
  push(grown - late_grown, inner * part(grown - late_grown, grown));
  push(table.blocks - late_prompt, table.breaks * part(table.blocks - late_prompt, table.blocks));
}

void BlockHistory::put_back(std::int64_t held) {
  if (held <= 0 || held > held_) throw Error(fmt::format("block history: {} blocks put back, {} are held", held, held_));
  const double breaks = held_breaks_ * static_cast<double>(held) / static_cast<double>(held_);
  held_ -= held;
  held_breaks_ -= breaks;
  push(held, breaks);
}

double BlockHistory::scatter() const {
  const std::int64_t all = live_blocks_ - live_sequences_;
  return all > 0 ? std::clamp(live_breaks_ / static_cast<double>(all), 0.0, 1.0) : 0.0;
}

double BlockHistory::run_blocks() const {
  if (live_blocks_ <= 0) return 0.0;
  return static_cast<double>(live_blocks_) / (static_cast<double>(live_sequences_) + std::max(0.0, live_breaks_));
}

}  // namespace brink::memory
