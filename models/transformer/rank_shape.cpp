#include "models/transformer/rank_shape.h"

#include <fmt/format.h>

#include "models/base/error.h"

namespace brink::transformer {
namespace {

std::int64_t padded_vocab(const Model& model) {
  return (model.vocab + vocab_padding - 1) / vocab_padding * vocab_padding;
}

bool kv_heads_fit(const Model& model, std::int64_t tp) {
  return tp <= model.kv_heads ? model.kv_heads % tp == 0 : tp % model.kv_heads == 0;
}

/// What stops `tp`, or "" when nothing does.
std::string obstacle(const Model& model, std::int64_t tp) {
  if (tp < 1) return "at least 1";
  if (model.q_heads % tp != 0) return fmt::format("a divisor of the {} attention heads", model.q_heads);
  if (!kv_heads_fit(model, tp)) return fmt::format("a divisor or a multiple of the {} KV heads", model.kv_heads);
  if (model.intermediate % tp != 0) return fmt::format("a divisor of the MLP width {}", model.intermediate);
  if (padded_vocab(model) % tp != 0) return fmt::format("a divisor of the padded vocabulary {}", padded_vocab(model));
  return {};
}

std::string nearest_degrees(const Model& model, std::int64_t tp) {
  std::int64_t below = 0, above = 0;
  for (std::int64_t degree = 1; degree <= model.q_heads; ++degree) {
    if (!obstacle(model, degree).empty()) continue;
    if (degree < tp) below = degree;
    if (degree > tp) {
      above = degree;
      break;
    }
  }
  if (below == 0) return fmt::format("nearest: {}", above);
  if (above == 0) return fmt::format("nearest: {}", below);
  return fmt::format("nearest: {} or {}", below, above);
}

}  // namespace

std::vector<std::int64_t> allowed_tensor_parallel(const Model& model, std::int64_t max) {
  std::vector<std::int64_t> degrees;
  for (std::int64_t degree = 1; degree <= max && degree <= model.q_heads; ++degree)
    if (obstacle(model, degree).empty()) degrees.push_back(degree);
  return degrees;
}

RankShape rank_shape(const Model& model, std::int64_t tp) {
  const std::string wanted = obstacle(model, tp);
  if (!wanted.empty()) {
    throw ConfigError("/engine/tensor_parallel_size", std::to_string(tp),
                      fmt::format("{} of {} ({})", wanted, model.name, nearest_degrees(model, tp)));
  }
  RankShape shape;
  shape.tensor_parallel = tp;
  shape.q_heads = model.q_heads / tp;
  shape.kv_heads = tp <= model.kv_heads ? model.kv_heads / tp : 1;
  shape.intermediate = model.intermediate / tp;
  shape.vocab = padded_vocab(model) / tp;
  return shape;
}

Bytes weight_bytes_per_rank(const Model& model, std::int64_t tp) {
  const RankShape rank = rank_shape(model, tp);
  const std::int64_t qkv = (rank.q_heads + 2 * rank.kv_heads) * model.head_dim;
  std::int64_t layer = model.hidden * qkv + rank.q_heads * model.head_dim * model.hidden +
                       3 * model.hidden * rank.intermediate + 2 * model.hidden;
  if (model.qkv_bias) layer += qkv;
  if (model.o_bias) layer += model.hidden;
  if (model.mlp_bias) layer += 2 * rank.intermediate + model.hidden;
  if (model.qk_norm) layer += 2 * model.head_dim;
  const std::int64_t embedding = rank.vocab * model.hidden;
  const std::int64_t parameters = (model.tied_embeddings ? 1 : 2) * embedding + model.layers * layer + model.hidden;
  return Bytes(static_cast<double>(parameters * model.weight_bytes_per_parameter));
}

Bytes kv_bytes_per_token_per_rank(const Model& model, std::int64_t tp, std::int64_t kv_element_bytes) {
  const RankShape rank = rank_shape(model, tp);
  return Bytes(static_cast<double>(2 * model.layers * rank.kv_heads * model.head_dim * kv_element_bytes));
}

}  // namespace brink::transformer
