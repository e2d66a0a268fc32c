#include "kernels/decode_step/llama_shape.h"

#include <cmath>
#include <stdexcept>

namespace brink::kernels {

namespace {

constexpr LlamaShape shapes[] = {
    // name, layers, hidden, query heads, KV heads, head size, intermediate, vocabulary, rope theta
    {"llama-3.1-8b", 32, 4096, 32, 8, 128, 14336, 128256, 500000.0},
    {"llama-3.2-1b", 16, 2048, 32, 8, 64, 8192, 128256, 500000.0},
    {"llama-2-7b", 32, 4096, 32, 32, 128, 11008, 32000, 10000.0},
    {"tiny-128", 2, 512, 4, 2, 128, 768, 1024, 10000.0},  // small enough for a float64 forward pass on the CPU
    {"tiny-64", 2, 256, 4, 1, 64, 512, 768, 10000.0},
};

}  // namespace

std::int64_t LlamaShape::weight_elements() const {
  const std::int64_t h = hidden;
  const std::int64_t layer = h * qkv_columns() + h * q_columns() + 3 * h * intermediate + 2 * h;
  return layers * layer + 2 * h * vocabulary + h;
}

std::int64_t LlamaShape::kv_bytes_per_block() const {
  return std::int64_t{2} * 2 * 16 * layers * heads_kv * head_size;
}

const LlamaShape& llama_shape(const std::string& name) {
  std::string known;
  for (const LlamaShape& shape : shapes) {
    if (name == shape.name) return shape;
    known += std::string(known.empty() ? "" : ", ") + shape.name;
  }
  throw std::invalid_argument("no model \"" + name + "\"; there are " + known);
}

WeightKey weight_key(const LlamaShape& shape, Weight weight, int layer) {
  const auto fan_in = [](int columns, double gain) {
    return static_cast<float>(gain / std::sqrt(static_cast<double>(columns)));
  };
  float scale = 1.0f;
  switch (weight) {
    case Weight::qkv:
    case Weight::gate_up: scale = fan_in(shape.hidden, 1.0); break;
    case Weight::o: scale = fan_in(shape.q_columns(), 1.0); break;
    case Weight::down: scale = fan_in(shape.intermediate, 1.0); break;
    case Weight::head: scale = fan_in(shape.hidden, 4.0); break;
    case Weight::embedding:
    case Weight::norm_attention:
    case Weight::norm_mlp:
    case Weight::norm_final: break;
  }
  return {0x1000u + 64u * static_cast<std::uint64_t>(layer) + static_cast<std::uint64_t>(weight), scale};
}

int padded_rows(int rows, int rows_max) {
  int padded = rows;
  if (rows > 4 && rows <= 248) padded = (rows + 7) / 8 * 8;
  if (rows == 3) padded = 4;
  if (rows > 248) padded = (rows + 15) / 16 * 16;
  return padded >= 1 && padded <= rows_max && padded <= 512 ? padded : 0;
}

}  // namespace brink::kernels
