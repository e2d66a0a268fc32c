#include "kernels/attention/layouts.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "kernels/attention/split_plan.h"
#include "kernels/device/numbers.h"

namespace brink::kernels {

namespace {

/// Fisher-Yates over [0, count), keyed by the seed.
std::vector<std::int32_t> permutation(int count, std::uint64_t seed) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[mix64(seed ^ mix64(i)) % i]);
  return order;
}

}  // namespace

const char* scatter_name(Scatter scatter) {
  switch (scatter) {
    case Scatter::contiguous:
      return "contiguous";
    case Scatter::interleaved:
      return "interleaved";
    case Scatter::random:
      return "random";
  }
  return "";
}

int blocks_needed(const std::vector<std::int32_t>& contexts) {
  int blocks = 0;
  for (const auto context : contexts) blocks += kv_blocks(context);
  return blocks;
}

std::vector<std::int32_t> block_tables(const std::vector<std::int32_t>& contexts, int stride, Scatter scatter,
                                       int first_block, int pool_blocks, std::uint64_t seed) {
  const int needed = blocks_needed(contexts);
  if (first_block < 0 || first_block + needed > pool_blocks) {
    throw std::invalid_argument("block_tables: " + std::to_string(needed) + " blocks from " +
                                std::to_string(first_block) + " on do not fit a pool of " +
                                std::to_string(pool_blocks));
  }
  // Random means over the whole pool: a permutation of all of it, of which this batch takes its run.
  const auto order = scatter == Scatter::random ? permutation(pool_blocks, seed) : std::vector<std::int32_t>();
  std::vector<std::int32_t> tables(contexts.size() * static_cast<std::size_t>(stride), 0);
  int next = first_block;
  const auto take = [&](std::size_t row, int b) {
    if (b >= stride) throw std::invalid_argument("block_tables: a context is longer than the table");
    tables[row * static_cast<std::size_t>(stride) + static_cast<std::size_t>(b)] =
        order.empty() ? next : order[static_cast<std::size_t>(next)];
    ++next;
  };
  if (scatter == Scatter::interleaved) {
    for (int b = 0; b < stride; ++b) {
      for (std::size_t row = 0; row < contexts.size(); ++row) {
        if (b < kv_blocks(contexts[row])) take(row, b);
      }
    }
  } else {
    for (std::size_t row = 0; row < contexts.size(); ++row) {
      for (int b = 0; b < kv_blocks(contexts[row]); ++b) take(row, b);
    }
  }
  return tables;
}

std::vector<std::int32_t> equal_contexts(int batch, int mean) {
  return std::vector<std::int32_t>(static_cast<std::size_t>(batch), mean);
}

std::vector<std::int32_t> ragged_contexts(int batch, int mean, std::uint64_t seed) {
  std::vector<double> weights;
  for (int i = 0; i < batch; ++i) {
    weights.push_back(std::exp(static_cast<double>(keyed_normal(seed, static_cast<std::uint64_t>(i)))));
  }
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<std::int32_t> contexts;
  std::int64_t left = std::int64_t{batch} * mean;
  for (int i = 0; i < batch; ++i) {
    const double share = weights[static_cast<std::size_t>(i)] / total;
    const auto want = static_cast<std::int64_t>(std::llround(share * static_cast<double>(batch) * mean));
    const std::int64_t others = batch - 1 - i;  // each of the rest keeps one token at least
    const std::int64_t context = i == batch - 1 ? left : std::clamp<std::int64_t>(want, 1, left - others);
    contexts.push_back(static_cast<std::int32_t>(context));
    left -= context;
  }
  return contexts;
}

}  // namespace brink::kernels
