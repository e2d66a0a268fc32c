#include "kernels/decode_step/llama_reference.h"

#include <cmath>

#include "kernels/device/numbers.h"

namespace brink::kernels {

namespace {

using Vector = std::vector<double>;

std::size_t at(int value) { return static_cast<std::size_t>(value); }

Vector load(const LlamaShape& shape, Weight weight, int layer, std::int64_t count) {
  Vector values;
  for (const std::uint16_t bits : LlamaReference::weights(shape, weight, layer, count)) {
    values.push_back(static_cast<double>(bf16_to_float(bits)));
  }
  return values;
}

/// rows of x (width k) times w[n][k] transposed.
Vector linear(const Vector& x, const Vector& w, std::size_t k) {
  const std::size_t rows = x.size() / k;
  const std::size_t n = w.size() / k;
  Vector y(rows * n);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::size_t i = 0; i < k; ++i) sum += x[r * k + i] * w[j * k + i];
      y[r * n + j] = sum;
    }
  }
  return y;
}

Vector rms_norm(const Vector& x, const Vector& weight) {
  const std::size_t width = weight.size();
  Vector y(x.size());
  for (std::size_t row = 0; row < x.size(); row += width) {
    double squares = 0;
    for (std::size_t i = 0; i < width; ++i) squares += x[row + i] * x[row + i];
    const double inverse = 1.0 / std::sqrt(squares / static_cast<double>(width) + 1e-5);
    for (std::size_t i = 0; i < width; ++i) y[row + i] = x[row + i] * inverse * weight[i];
  }
  return y;
}

void add(Vector& x, const Vector& y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

void rotate(double* head, int size, int position, double theta) {
  for (int d = 0; d < size / 2; ++d) {
    const double angle = position * std::pow(theta, -2.0 * d / size);
    const double x = head[d];
    const double y = head[d + size / 2];
    head[d] = x * std::cos(angle) - y * std::sin(angle);
    head[d + size / 2] = y * std::cos(angle) + x * std::sin(angle);
  }
}

Vector gated(const Vector& gate_up, std::size_t width) {
  Vector y;
  for (std::size_t row = 0; row < gate_up.size(); row += 2 * width) {
    for (std::size_t i = 0; i < width; ++i) {
      const double gate = gate_up[row + i];
      y.push_back(gate / (1.0 + std::exp(-gate)) * gate_up[row + width + i]);
    }
  }
  return y;
}

}  // namespace

std::vector<std::uint16_t> LlamaReference::weights(const LlamaShape& shape, Weight weight, int layer,
                                                   std::int64_t count) {
  const WeightKey key = weight_key(shape, weight, layer);
  std::vector<std::uint16_t> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = bf16_from_float(key.scale * keyed_normal(key.seed, i));
  return values;
}

LlamaReference::LlamaReference(const LlamaShape& shape) : shape_(shape) {
  const std::int64_t h = shape.hidden;
  embedding_ = load(shape, Weight::embedding, 0, h * shape.vocabulary);
  norm_ = load(shape, Weight::norm_final, 0, h);
  head_ = load(shape, Weight::head, 0, h * shape.vocabulary);
  for (int layer = 0; layer < shape.layers; ++layer) {
    Layer l;
    l.qkv = load(shape, Weight::qkv, layer, h * shape.qkv_columns());
    l.o = load(shape, Weight::o, layer, h * shape.q_columns());
    l.gate_up = load(shape, Weight::gate_up, layer, 2 * h * shape.intermediate);
    l.down = load(shape, Weight::down, layer, h * shape.intermediate);
    l.norm_attention = load(shape, Weight::norm_attention, layer, h);
    l.norm_mlp = load(shape, Weight::norm_mlp, layer, h);
    layers_.push_back(std::move(l));
  }
}

std::vector<double> LlamaReference::attention(const Layer& layer, const Vector& normed, std::size_t tokens) const {
  const std::size_t size = at(shape_.head_size);
  const std::size_t columns = at(shape_.qkv_columns());
  Vector qkv = linear(normed, layer.qkv, at(shape_.hidden));
  for (std::size_t t = 0; t < tokens; ++t) {
    for (int head = 0; head < shape_.heads_q + shape_.heads_kv; ++head) {
      rotate(&qkv[t * columns + at(head) * size], shape_.head_size, static_cast<int>(t), shape_.rope_theta);
    }
  }
  Vector out(tokens * at(shape_.q_columns()), 0.0);
  for (std::size_t t = 0; t < tokens; ++t) {
    for (int head = 0; head < shape_.heads_q; ++head) {
      const int kv_head = head / (shape_.heads_q / shape_.heads_kv);
      const double* q = &qkv[t * columns + at(head) * size];
      Vector weights(t + 1);
      double sum = 0;
      for (std::size_t s = 0; s <= t; ++s) {
        const double* k = &qkv[s * columns + at(shape_.heads_q + kv_head) * size];
        double dot = 0;
        for (std::size_t d = 0; d < size; ++d) dot += q[d] * k[d];
        weights[s] = std::exp(dot / std::sqrt(static_cast<double>(size)));
        sum += weights[s];
      }
      for (std::size_t s = 0; s <= t; ++s) {
        const double* v = &qkv[s * columns + at(shape_.heads_q + shape_.heads_kv + kv_head) * size];
        for (std::size_t d = 0; d < size; ++d) {
          out[t * at(shape_.q_columns()) + at(head) * size + d] += weights[s] / sum * v[d];
        }
      }
    }
  }
  return linear(out, layer.o, at(shape_.q_columns()));
}

std::vector<double> LlamaReference::logits(const std::vector<std::int32_t>& tokens) const {
  const std::size_t h = at(shape_.hidden);
  Vector x;
  for (const std::int32_t token : tokens) {
    const double* row = &embedding_[at(token) * h];
    x.insert(x.end(), row, row + h);
  }
  for (const Layer& layer : layers_) {
    add(x, attention(layer, rms_norm(x, layer.norm_attention), tokens.size()));
    const Vector gate_up = linear(rms_norm(x, layer.norm_mlp), layer.gate_up, h);
    add(x, linear(gated(gate_up, at(shape_.intermediate)), layer.down, at(shape_.intermediate)));
  }
  return linear(rms_norm(x, norm_), head_, h);
}

std::vector<float> rope_table(const LlamaShape& shape, int positions) {
  std::vector<float> table;
  const int half = shape.head_size / 2;
  table.reserve(at(positions) * at(half) * 2);
  for (int position = 0; position < positions; ++position) {
    for (int d = 0; d < half; ++d) {
      const double angle = position * std::pow(shape.rope_theta, -2.0 * d / shape.head_size);
      table.push_back(static_cast<float>(std::cos(angle)));
      table.push_back(static_cast<float>(std::sin(angle)));
    }
  }
  return table;
}

}  // namespace brink::kernels
