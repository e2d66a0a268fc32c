#pragma once
// Attention in float64 on the CPU: what the kernels' outputs are compared with.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/attention/split_plan.h"
#include "kernels/runner/hash.h"

namespace brink::kernels {

/// softmax(q k^T / sqrt(D)) v of one query over `context` keys. `key(token)` and `value(token)` point to D bf16
/// numbers. An empty context gives zeros.
template <typename Key, typename Value>
std::vector<double> attend(const std::uint16_t* query, int head_size, int context, const Key& key, const Value& value) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(head_size));
  std::vector<double> score(static_cast<std::size_t>(context));
  double top = -HUGE_VAL;
  for (int token = 0; token < context; ++token) {
    const std::uint16_t* k = key(token);
    double dot = 0;
    for (int d = 0; d < head_size; ++d) {
      dot += static_cast<double>(bf16_to_float(query[d])) * static_cast<double>(bf16_to_float(k[d]));
    }
    score[static_cast<std::size_t>(token)] = dot * scale;
    top = std::fmax(top, dot * scale);
  }
  std::vector<double> out(static_cast<std::size_t>(head_size), 0.0);
  double sum = 0;
  for (int token = 0; token < context; ++token) {
    const double weight = std::exp(score[static_cast<std::size_t>(token)] - top);
    const std::uint16_t* v = value(token);
    sum += weight;
    for (int d = 0; d < head_size; ++d) {
      out[static_cast<std::size_t>(d)] += weight * static_cast<double>(bf16_to_float(v[d]));
    }
  }
  if (context > 0) {
    for (double& x : out) x /= sum;
  }
  return out;
}

/// A sequence's keys (or values) in a paged cache [blocks][heads_kv][16][head_size].
struct PagedHead {
  const std::uint16_t* cache;
  const std::int32_t* table;
  int heads_kv;
  int kv_head;
  int head_size;

  const std::uint16_t* operator()(int token) const {
    const auto block = static_cast<std::ptrdiff_t>(table[token / kv_block_tokens]);
    return cache + ((block * heads_kv + kv_head) * kv_block_tokens + token % kv_block_tokens) * head_size;
  }
};

}  // namespace brink::kernels
