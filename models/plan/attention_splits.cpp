#include "models/plan/attention_splits.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace brink::plan {
namespace {

constexpr std::int64_t kSplitsMax = 128;       // both libraries
constexpr float kFullShare = 0.8F;             // a launch this full is not split
constexpr double kGoodEnough = 0.85;           // of the best efficiency: fewer splits write less
constexpr std::int64_t kShortBlocks = 4;       // FlashAttention 3 never splits so few
constexpr float kMargin = 1.1F;                // FlashAttention 3's slack for uneven sequences
constexpr std::int64_t kChunkTokensMin = 128;  // FlashInfer

// The fewest splits whose waves are nearly as full as the best. `eligible` leaves out counts that cut nothing new.
template <class Eligible>
std::int64_t fullest_waves(std::int64_t tiles, std::int64_t slots, std::int64_t most, Eligible eligible) {
  std::array<float, kSplitsMax + 1> efficiency{};
  float best = 0.0F;
  for (std::int64_t s = 1; s <= most; ++s) {
    if (!eligible(s)) continue;
    const float waves = static_cast<float>(tiles * s) / static_cast<float>(slots);
    efficiency[static_cast<std::size_t>(s)] = waves / std::ceil(waves);
    best = std::max(best, efficiency[static_cast<std::size_t>(s)]);
  }
  for (std::int64_t s = 1; s <= most; ++s) {
    if (!eligible(s)) continue;
    if (static_cast<double>(efficiency[static_cast<std::size_t>(s)]) >= kGoodEnough * static_cast<double>(best)) return s;
  }
  return 1;
}

bool full(std::int64_t tiles, std::int64_t slots) {
  return static_cast<float>(tiles) >= kFullShare * static_cast<float>(slots);
}

std::int64_t chunk_min(const FlashInferGrid& grid) { return std::max<std::int64_t>(kChunkTokensMin / grid.page_size, 1); }

// Chunks the grid holds for each KV head.
std::int64_t chunks_max(const FlashInferGrid& grid) { return grid.grid / grid.kv_heads; }

}  // namespace

std::int64_t fa2_splits(const UniformSplitInput& in) {
  const std::int64_t slots = 2 * in.sm_count;
  if (full(in.tiles, slots)) return 1;
  const std::int64_t most = std::min({kSplitsMax, slots, in.blocks});
  return fullest_waves(in.tiles, slots, most, [&](std::int64_t s) {
    return s == 1 || ceil_div(in.blocks, s) != ceil_div(in.blocks, s - 1);
  });
}

std::int64_t fa3_static_splits(const UniformSplitInput& in) {
  const Bytes cache = mib(50);
  if (full(in.tiles, in.sm_count)) {
    const bool worth = in.kv_head > cache && in.query_tiles >= 2 * in.sm_count && !in.causal;
    return worth ? std::min(kSplitsMax, static_cast<std::int64_t>(std::ceil(in.kv_head / cache))) : 1;
  }
  if (in.blocks <= kShortBlocks) return 1;
  return fullest_waves(in.tiles, in.sm_count, std::min({kSplitsMax, in.sm_count, in.blocks}), [](std::int64_t) { return true; });
}

std::int64_t fa3_blocks_per_split(std::int64_t work, std::int64_t kv_heads, std::int64_t sm_count) {
  const float share = static_cast<float>(work) * kMargin * static_cast<float>(kv_heads) / static_cast<float>(sm_count);
  return std::max<std::int64_t>(static_cast<std::int64_t>(std::ceil(share)), 1);
}

std::int64_t fa3_dynamic_splits(std::int64_t blocks, std::int64_t blocks_per_split, std::int64_t cap) {
  return std::max<std::int64_t>(std::min(ceil_div(blocks, blocks_per_split), cap), 1);
}

std::int64_t flashinfer_chunk_pages(std::span<const std::int64_t> pages, const FlashInferGrid& grid) {
  const auto sequences = static_cast<std::int64_t>(pages.size());
  if (sequences == 0 || sequences * grid.kv_heads >= grid.grid) return 0;
  std::int64_t low = chunk_min(grid), high = 0;
  for (const std::int64_t p : pages) high = std::max(high, p);
  while (low < high) {
    const std::int64_t middle = (low + high) / 2;
    std::int64_t chunks = 0;
    for (const std::int64_t p : pages) chunks += ceil_div(p, middle);
    if (chunks * grid.kv_heads > grid.grid) low = middle + 1;
    else high = middle;
  }
  return low;
}

ChunkBounds flashinfer_chunk_bounds(std::int64_t sequences, std::int64_t pages, std::int64_t longest,
                                    const FlashInferGrid& grid) {
  if (sequences == 0 || sequences * grid.kv_heads >= grid.grid) return {};
  const std::int64_t least = chunk_min(grid), room = chunks_max(grid);
  const std::int64_t top = std::max(least, longest);
  const std::int64_t low = std::clamp(ceil_div(pages, room), least, top);
  const std::int64_t high = room > sequences ? ceil_div(pages - sequences, room - sequences) : top;
  return {low, std::clamp(high, low, top)};
}

std::int64_t flashinfer_chunk_pages_from_sums(std::int64_t sequences, std::int64_t pages, std::int64_t longest,
                                              const FlashInferGrid& grid) {
  const ChunkBounds bounds = flashinfer_chunk_bounds(sequences, pages, longest, grid);
  if (bounds.high == 0) return 0;
  const std::int64_t room = chunks_max(grid);
  if (pages == sequences * longest) return std::clamp(ceil_div(longest, room / sequences), bounds.low, bounds.high);
  // sum ceil(p/c) ~ pages/c + sequences (1 - 1/c)/2 <= room, times two to stay in whole numbers.
  return std::clamp(ceil_div(2 * pages - sequences, 2 * room - sequences), bounds.low, bounds.high);
}

}  // namespace brink::plan
