#pragma once

#include <cstdint>
#include <vector>

#include "kernels/decode_step/llama_shape.h"

namespace brink::kernels {

/// A small model in float64 on the CPU, with the bf16 weights the device fills itself with. Activations are not
/// rounded, so the device differs from it by its own rounding.
class LlamaReference {
 public:
  explicit LlamaReference(const LlamaShape& shape);
  /// Logits after every token of the sequence: [tokens][vocabulary]. No cache: the definition of causal attention.
  std::vector<double> logits(const std::vector<std::int32_t>& tokens) const;

  /// Weight elements as the device has them.
  static std::vector<std::uint16_t> weights(const LlamaShape& shape, Weight weight, int layer, std::int64_t count);

 private:
  struct Layer {
    std::vector<double> qkv, o, gate_up, down, norm_attention, norm_mlp;
  };
  std::vector<double> attention(const Layer& layer, const std::vector<double>& normed, std::size_t tokens) const;

  LlamaShape shape_;
  std::vector<Layer> layers_;
  std::vector<double> embedding_, norm_, head_;
};

/// cos and sin of the rotary embedding as float pairs [positions][head_size / 2][2], computed in double:
/// angle = position * theta^(-2d / head_size) (Su et al. 2021, RoFormer).
std::vector<float> rope_table(const LlamaShape& shape, int positions);

}  // namespace brink::kernels
