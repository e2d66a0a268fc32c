#pragma once

#include <cstdint>
#include <string>

namespace brink::kernels {

/// A Llama-shaped decoder: RMSNorm, rotary positions, grouped queries, gated SiLU.
struct LlamaShape {
  const char* name;
  int layers;
  int hidden;
  int heads_q;
  int heads_kv;
  int head_size;
  int intermediate;
  int vocabulary;
  double rope_theta;

  int qkv_columns() const { return (heads_q + 2 * heads_kv) * head_size; }
  int q_columns() const { return heads_q * head_size; }
  std::int64_t weight_elements() const;
  std::int64_t kv_bytes_per_block() const;  ///< of 16 tokens over all layers, bf16
};

/// A shape of the built-in table by name. Throws std::invalid_argument with the names there are.
const LlamaShape& llama_shape(const std::string& name);

/// The random numbers a weight tensor holds: bf16(scale * keyed_normal(seed, i)).
struct WeightKey {
  std::uint64_t seed;
  float scale;
};
enum class Weight { embedding, qkv, o, gate_up, down, norm_attention, norm_mlp, norm_final, head };
/// Deviation 1/sqrt(fan-in) keeps activations of order 1 through every layer. The LM head has 4/sqrt(hidden), so that
/// logits spread by about 4 nats, which is near trained models.
WeightKey weight_key(const LlamaShape& shape, Weight weight, int layer);

/// CUDA-graph batch sizes of vLLM: 1, 2, 4, 8 .. 248 by 8, 256 .. 512 by 16. The smallest that holds `rows`, or 0 if
/// there is none up to `rows_max`: such a step runs without a graph.
int padded_rows(int rows, int rows_max);

}  // namespace brink::kernels
