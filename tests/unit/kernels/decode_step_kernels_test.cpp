// Device code of the decode_step group, run on the CPU: kernel by kernel, and as a whole model against float64.
#include "tests/support/gpu_emulator.h"

#include "kernels/attention/decode.cuh"
#include "kernels/decode_step/llama_reference.h"
#include "kernels/decode_step/step_batch.h"
#include "kernels/decode_step/step_kernels.cuh"
#include "kernels/runner/verify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace brink::kernels {
namespace {

using Bits = std::vector<std::uint16_t>;
using emulator::launch;

Bits normal(std::size_t count, std::uint64_t seed) {
  Bits bits(count);
  for (std::size_t i = 0; i < count; ++i) bits[i] = bf16_from_float(keyed_normal(seed, i));
  return bits;
}

double value(std::uint16_t bits) { return static_cast<double>(bf16_to_float(bits)); }

TEST(AddRmsNorm, AddsNormalizesAndKeepsTheSum) {
  const int hidden = 200;
  for (const unsigned threads : {256u, 1024u}) {
    Bits residual = normal(3 * 200, 1);
    const Bits before = residual, delta = normal(3 * 200, 2), weight = normal(200, 3);
    Bits out(3 * 200, 0xffff);
    launch(
        {3, 1, 1}, {threads, 1, 1},
        [&] { add_rms_norm(residual.data(), delta.data(), weight.data(), out.data(), nullptr, hidden); }, threads % 3);
    for (std::size_t row = 0; row < 3; ++row) {
      double squares = 0;
      for (std::size_t i = 0; i < 200; ++i) {
        const double sum = value(before[row * 200 + i]) + value(delta[row * 200 + i]);
        ASSERT_NEAR(value(residual[row * 200 + i]), sum, std::fabs(sum) / 256 + 1e-9);
        squares += value(residual[row * 200 + i]) * value(residual[row * 200 + i]);
      }
      const double inverse = 1 / std::sqrt(squares / 200 + 1e-5);
      for (std::size_t i = 0; i < 200; ++i) {
        const double want = value(residual[row * 200 + i]) * inverse * value(weight[i]);
        ASSERT_NEAR(value(out[row * 200 + i]), want, std::fabs(want) / 250 + 1e-9);
      }
    }
  }
}

TEST(AddRmsNorm, PicksRows) {
  Bits residual = normal(4 * 64, 1);
  const Bits weight = normal(64, 3);
  Bits all(4 * 64), some(2 * 64);
  const std::int32_t rows[] = {3, 1};
  launch({4, 1, 1}, {64, 1, 1},
         [&] { add_rms_norm(residual.data(), nullptr, weight.data(), all.data(), nullptr, 64); });
  launch({2, 1, 1}, {64, 1, 1}, [&] { add_rms_norm(residual.data(), nullptr, weight.data(), some.data(), rows, 64); });
  EXPECT_TRUE(std::equal(some.begin(), some.begin() + 64, all.begin() + 3 * 64));
  EXPECT_TRUE(std::equal(some.begin() + 64, some.end(), all.begin() + 64));
}

TEST(TopTwo, FindsTheLargestAndBreaksTiesLow) {
  const int width = 1000;
  std::vector<float> logits(3 * 1000);
  for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = keyed_normal(5, i);
  logits[700] = 9;
  logits[31] = 8;
  logits[1000 + 999] = 9;  // a tie in row 1
  logits[1000 + 5] = 9;
  logits[2000] = 9;  // both in one thread's stride in row 2
  logits[2000 + 256] = 8;
  std::vector<TopTwo> top(3);
  std::vector<std::int32_t> tokens(3);
  for (const unsigned order : {0u, 1u, 2u}) {
    launch(
        {3, 1, 1}, {256, 1, 1}, [&] { top_two(logits.data(), top.data(), tokens.data(), width); }, order);
    EXPECT_EQ(top[0].first_at, 700);
    EXPECT_EQ(top[0].second_at, 31);
    EXPECT_EQ(top[0].second, 8);
    EXPECT_EQ(top[1].first_at, 5);
    EXPECT_EQ(top[1].second_at, 999);
    EXPECT_EQ(top[2].first_at, 0);
    EXPECT_EQ(top[2].second_at, 256);
    EXPECT_EQ(tokens, (std::vector<std::int32_t>{700, 5, 0}));
  }
}

TEST(CompareLogits, CountsBothPrecisions) {
  std::vector<float> a(600), b;
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = keyed_normal(6, i);
  b = a;
  b[300] += 0.5f;
  b[301] = std::nextafter(b[301], 10.0f);  // bf16 does not see it, unless on a boundary
  std::vector<RowDifference> out(2, RowDifference{0, 0, 0, 0});
  launch({2, 1, 1}, {256, 1, 1}, [&] { compare_logits(a.data(), b.data(), out.data(), 300); });
  EXPECT_EQ(out[0].changed, 0u);
  EXPECT_EQ(out[1].changed, 2u);
  EXPECT_EQ(out[1].changed_bf16, 1u);
  EXPECT_NEAR(static_cast<double>(float_of_bits(out[1].delta_max_bits)), 0.5, 1e-6);
}

TEST(SiluAndMul, IsTheFormula) {
  const Bits in = normal(2 * 2 * 300, 7);
  Bits out(2 * 300, 0xffff);
  launch({2, 2, 1}, {256, 1, 1}, [&] { silu_and_mul(in.data(), out.data(), 300); });
  for (std::size_t row = 0; row < 2; ++row) {
    for (std::size_t i = 0; i < 300; ++i) {
      const double gate = value(in[row * 600 + i]), up = value(in[row * 600 + 300 + i]);
      const double want = gate / (1 + std::exp(-gate)) * up;
      ASSERT_NEAR(value(out[row * 300 + i]), want, std::fabs(want) / 250 + 1e-9);
    }
  }
}

TEST(RopeAndStore, PaddingWritesNothing) {
  const LlamaShape& shape = llama_shape("tiny-64");
  Bits qkv = normal(static_cast<std::size_t>(shape.qkv_columns()), 1);
  Bits k(kv_block_tokens * 64, 0xffff), v = k;
  std::vector<float2> rope(32, float2{1, 0});
  const std::int32_t position = 0, slot = -1;
  launch({1, static_cast<unsigned>(shape.heads_q + 2 * shape.heads_kv), 1}, {32, 1, 1}, [&] {
    rope_and_store(qkv.data(), rope.data(), &position, &slot, k.data(), v.data(), shape.heads_q, shape.heads_kv);
  });
  EXPECT_EQ(k, Bits(kv_block_tokens * 64, 0xffff));
  EXPECT_EQ(v, Bits(kv_block_tokens * 64, 0xffff));
}

/// Products on the host, everything else by the kernels: the model as the GPU runs it.
class EmulatedModel {
 public:
  explicit EmulatedModel(const LlamaShape& shape) : shape_(shape) {
    const std::int64_t h = shape.hidden;
    embedding_ = LlamaReference::weights(shape, Weight::embedding, 0, h * shape.vocabulary);
    norm_ = LlamaReference::weights(shape, Weight::norm_final, 0, h);
    head_ = LlamaReference::weights(shape, Weight::head, 0, h * shape.vocabulary);
    const auto cache = static_cast<std::size_t>(blocks * shape.heads_kv * kv_block_tokens * shape.head_size);
    for (int i = 0; i < shape.layers; ++i) {
      layers_.push_back({LlamaReference::weights(shape, Weight::qkv, i, h * shape.qkv_columns()),
                         LlamaReference::weights(shape, Weight::o, i, h * shape.q_columns()),
                         LlamaReference::weights(shape, Weight::gate_up, i, 2 * h * shape.intermediate),
                         LlamaReference::weights(shape, Weight::down, i, h * shape.intermediate),
                         LlamaReference::weights(shape, Weight::norm_attention, i, h),
                         LlamaReference::weights(shape, Weight::norm_mlp, i, h), Bits(cache, 0xffff),
                         Bits(cache, 0xffff)});
    }
    const auto table = rope_table(shape, 64);
    for (std::size_t i = 0; i < table.size(); i += 2) rope_.push_back({table[i], table[i + 1]});
  }

  /// A step of decode rows only; logits by row.
  std::vector<float> step(const StepBatch& batch, int splits) {
    const unsigned rows = static_cast<unsigned>(batch.rows());
    const int h = shape_.hidden;
    const auto r = static_cast<std::size_t>(rows);
    Bits x(r * at(h)), y(x.size()), delta;
    launch({rows, 1, 1}, {64, 1, 1}, [&] { embed_tokens(embedding_.data(), batch.tokens.data(), x.data(), h); });
    const std::uint16_t* pending = nullptr;
    for (auto& layer : layers_) {
      launch({rows, 1, 1}, {128, 1, 1},
             [&] { add_rms_norm(x.data(), pending, layer.norm1.data(), y.data(), nullptr, h); });
      Bits qkv = multiply(y, layer.qkv, at(h));
      const unsigned heads = static_cast<unsigned>(shape_.heads_q + 2 * shape_.heads_kv);
      launch({rows, heads, 1}, {static_cast<unsigned>(shape_.head_size / 2), 1, 1}, [&] {
        rope_and_store(qkv.data(), rope_.data(), batch.positions.data(), batch.slots.data(), layer.k.data(),
                       layer.v.data(), shape_.heads_q, shape_.heads_kv);
      });
      delta = multiply(attend(batch, layer.k, layer.v, qkv, splits), layer.o, at(shape_.q_columns()));
      launch({rows, 1, 1}, {128, 1, 1},
             [&] { add_rms_norm(x.data(), delta.data(), layer.norm2.data(), y.data(), nullptr, h); });
      const Bits gate_up = multiply(y, layer.gate_up, at(h));
      Bits activation(r * at(shape_.intermediate));
      launch({static_cast<unsigned>((shape_.intermediate + 255) / 256), rows, 1}, {256, 1, 1},
             [&] { silu_and_mul(gate_up.data(), activation.data(), shape_.intermediate); });
      delta = multiply(activation, layer.down, at(shape_.intermediate));
      pending = delta.data();
    }
    launch({rows, 1, 1}, {128, 1, 1}, [&] { add_rms_norm(x.data(), pending, norm_.data(), y.data(), nullptr, h); });
    return products(y, head_, at(h));
  }

  static constexpr int blocks = 8;

 private:
  struct Layer {
    Bits qkv, o, gate_up, down, norm1, norm2, k, v;
  };
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }

  static std::vector<float> products(const Bits& x, const Bits& w, std::size_t k) {
    std::vector<float> y;
    for (std::size_t row = 0; row < x.size(); row += k) {
      for (std::size_t column = 0; column < w.size(); column += k) {
        float sum = 0;
        for (std::size_t i = 0; i < k; ++i) sum += bf16_to_float(x[row + i]) * bf16_to_float(w[column + i]);
        y.push_back(sum);
      }
    }
    return y;
  }
  static Bits multiply(const Bits& x, const Bits& w, std::size_t k) {
    Bits y;
    for (const float sum : products(x, w, k)) y.push_back(bf16_from_float(sum));
    return y;
  }

  Bits attend(const StepBatch& batch, const Bits& k, const Bits& v, const Bits& qkv, int splits) const {
    const auto rows = static_cast<unsigned>(batch.rows());
    const std::size_t queries = rows * at(shape_.heads_q);
    Bits out(queries * at(shape_.head_size), 0xffff);
    std::vector<float> partial(out.size() * at(splits)), tops(queries * at(splits)), sums(queries * at(splits));
    const DecodeParams p = {qkv.data(),
                            k.data(),
                            v.data(),
                            batch.tables.data(),
                            batch.contexts.data(),
                            out.data(),
                            partial.data(),
                            tops.data(),
                            sums.data(),
                            shape_.qkv_columns(),
                            shape_.heads_q,
                            shape_.heads_kv,
                            batch.table_stride,
                            splits,
                            static_cast<float>(1.4426950408889634 / std::sqrt(static_cast<double>(shape_.head_size)))};
    launch({static_cast<unsigned>(splits), static_cast<unsigned>(shape_.heads_kv), rows}, {decode_threads, 1, 1},
           [&] { shape_.head_size == 64 ? decode_attention<64>(p) : decode_attention<128>(p); });
    if (splits > 1) {
      launch({static_cast<unsigned>(shape_.heads_q), rows, 1}, {static_cast<unsigned>(shape_.head_size), 1, 1},
             [&] { shape_.head_size == 64 ? combine_splits<64>(p) : combine_splits<128>(p); });
    }
    return out;
  }

  LlamaShape shape_;
  Bits embedding_, norm_, head_;
  std::vector<Layer> layers_;
  std::vector<float2> rope_;
};

void expect_row(const std::vector<float>& got, std::size_t row, const std::vector<double>& want, std::size_t token,
                std::size_t width, const std::string& what) {
  EXPECT_NO_THROW(require_close(what, &got[row * width], &want[token * width], width, 3e-2));
}

TEST(WholeModel, TwoInterleavedSequencesMatchFloat64TokenByToken) {
  for (const char* name : {"tiny-64", "tiny-128"}) {
    SCOPED_TRACE(name);
    const LlamaShape& shape = llama_shape(name);
    const auto width = static_cast<std::size_t>(shape.vocabulary);
    std::vector<std::int32_t> first, second;
    for (int i = 0; i < 20; ++i) first.push_back((i * 37 + 5) % shape.vocabulary);
    for (int i = 0; i < 6; ++i) second.push_back((i * 91 + 2) % shape.vocabulary);
    const LlamaReference reference(shape);
    const auto want_first = reference.logits(first);
    const auto want_second = reference.logits(second);
    EmulatedModel model(shape);
    const int tokens = shape.head_size == 64 ? 20 : 5;  // the larger shape costs ten times as much a token
    for (int i = 0; i < tokens; ++i) {
      StepBatch batch;
      batch.table_stride = 3;
      batch.add_decode(first[static_cast<std::size_t>(i)], i, {5, 2});
      const bool both = i >= 14;
      if (both) batch.add_decode(second[static_cast<std::size_t>(i - 14)], i - 14, {7});
      batch.pad_decodes(3);
      const auto got = model.step(batch, i % 3 + 1);
      expect_row(got, 0, want_first, static_cast<std::size_t>(i), width, "first sequence");
      if (both) expect_row(got, 1, want_second, static_cast<std::size_t>(i - 14), width, "second sequence");
    }
  }
}

TEST(WholeModel, AWrongPositionIsSeen) {
  const LlamaShape& shape = llama_shape("tiny-64");
  const auto width = static_cast<std::size_t>(shape.vocabulary);
  const auto want = LlamaReference(shape).logits({5, 42, 79});
  EmulatedModel model(shape);
  std::vector<float> got;
  for (int i = 0; i < 3; ++i) {
    StepBatch batch;
    batch.table_stride = 1;
    batch.add_decode(5 + 37 * i, i, {0});
    if (i == 2) batch.positions[0] = 9;  // its rotation, not its slot
    got = model.step(batch, 1);
  }
  EXPECT_THROW(require_close("", got.data(), &want[2 * width], width, 3e-2), WrongResult);
}

TEST(LlamaReference, EarlierLogitsDoNotDependOnLaterTokens) {
  const LlamaShape& shape = llama_shape("tiny-64");
  const LlamaReference reference(shape);
  const auto one = reference.logits({1, 2, 3});
  const auto two = reference.logits({1, 2, 700});
  const auto width = static_cast<std::size_t>(shape.vocabulary);
  for (std::size_t i = 0; i < 2 * width; ++i) ASSERT_EQ(one[i], two[i]);
  EXPECT_NE(one[2 * width], two[2 * width]);
}

}  // namespace
}  // namespace brink::kernels
