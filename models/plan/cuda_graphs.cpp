#include "models/plan/cuda_graphs.h"

#include <algorithm>

namespace brink::plan {
namespace {

constexpr std::int64_t largest_capture = 512;

/// The captured size at or above `tokens`, were all sizes captured.
std::int64_t next_size(std::int64_t tokens) {
  if (tokens <= 1) return 1;
  if (tokens <= 2) return 2;
  if (tokens <= 4) return 4;
  const std::int64_t step = tokens <= 248 ? 8 : 16;
  return (tokens + step - 1) / step * step;
}

}  // namespace

std::vector<std::int64_t> cuda_graph_sizes(std::int64_t max_num_seqs) {
  std::vector<std::int64_t> sizes;
  const std::int64_t limit = std::min(2 * max_num_seqs, largest_capture);
  for (std::int64_t size = 1; size <= limit; size = next_size(size + 1)) sizes.push_back(size);
  return sizes;
}

std::int64_t cuda_graph_max(std::int64_t max_num_seqs) {
  const auto sizes = cuda_graph_sizes(max_num_seqs);
  return sizes.empty() ? 0 : sizes.back();
}

std::optional<std::int64_t> padded_tokens(std::int64_t tokens, std::int64_t max) {
  const std::int64_t size = next_size(tokens);
  if (tokens < 1 || size > max) return std::nullopt;
  return size;
}

}  // namespace brink::plan
