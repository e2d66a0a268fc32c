#include "kernels/attention/attention_ops.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "kernels/attention/decode.cuh"
#include "kernels/attention/prefill.cuh"
#include "kernels/runner/cuda_check.h"

namespace brink::kernels {

namespace {

template <int D>
void launch_decode_of(const DecodeParams& params, int batch, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(params.splits), static_cast<unsigned>(params.heads_kv),
                  static_cast<unsigned>(batch));
  decode_attention<D><<<grid, decode_threads, 0, stream>>>(params);
  BRINK_CUDA_CHECK(cudaGetLastError());
  if (params.splits == 1) return;
  const dim3 merge(static_cast<unsigned>(params.heads_q), static_cast<unsigned>(batch));
  combine_splits<D><<<merge, D, 0, stream>>>(params);
  BRINK_CUDA_CHECK(cudaGetLastError());
}

float softmax_scale_log2(int head_size) {
  return static_cast<float>(1.4426950408889634 / std::sqrt(static_cast<double>(head_size)));
}

/// Elements from one row of scores to the next: aligned rows for any number of keys, as cuBLASLt's fast kernels need.
std::int64_t score_pitch(int keys) { return (std::int64_t{keys} + 63) / 64 * 64; }

}  // namespace

void launch_decode(const DecodeParams& params, int batch, int head_size, cudaStream_t stream) {
  const bool grouped =
      params.heads_kv > 0 && params.heads_q % params.heads_kv == 0 && params.heads_q / params.heads_kv <= group_max;
  if (!grouped || params.splits < 1 || params.splits > splits_max || batch < 1) {
    throw std::invalid_argument("decode attention: query heads must be 1..16 times the KV heads, splits 1..32");
  }
  if (head_size == 64) {
    launch_decode_of<64>(params, batch, stream);
  } else if (head_size == 128) {
    launch_decode_of<128>(params, batch, stream);
  } else {
    throw std::invalid_argument("decode attention: head size must be 64 or 128");
  }
}

PrefillAttention::PrefillAttention(const LtHandle& handle, int heads_q, int heads_kv, int head_size, int queries_max,
                                   int keys_max)
    : handle_(handle), heads_q_(heads_q), heads_kv_(heads_kv), head_size_(head_size), workspace_(workspace_bytes) {
  const std::size_t elements = static_cast<std::size_t>(queries_max) * static_cast<std::size_t>(heads_q * head_size);
  q_ = DeviceArray<std::uint16_t>(elements);
  out_ = DeviceArray<std::uint16_t>(elements);
  const std::int64_t all = std::int64_t{heads_q} * queries_max * score_pitch(keys_max);
  // One query of every head must fit whatever the limit.
  const std::int64_t held = std::max(std::min(all, scores_max), std::int64_t{heads_q} * score_pitch(keys_max));
  scores_ = DeviceArray<float>(static_cast<std::size_t>(held));
  weights_ = DeviceArray<std::uint16_t>(static_cast<std::size_t>(held));
}

const PrefillAttention::Products& PrefillAttention::products(int queries, int keys) {
  Products& p = products_[{queries, keys}];
  if (p.scores) return p;
  const std::int64_t rows = std::int64_t{heads_q_ / heads_kv_} * queries;  // stacked query heads of one KV head
  const std::int64_t pitch = score_pitch(keys);
  MatmulSpec scores;  // S^T[keys, rows] = K[keys, D] Q^T[D, rows]
  scores.rows = keys;
  scores.columns = rows;
  scores.depth = head_size_;
  scores.transpose_a = true;
  scores.lda = head_size_;
  scores.ldb = head_size_;
  scores.ldd = pitch;
  scores.result = CUDA_R_32F;
  scores.batch = heads_kv_;
  scores.stride_a = std::int64_t{keys} * head_size_;
  scores.stride_b = rows * head_size_;
  scores.stride_d = rows * pitch;
  MatmulSpec output;  // O^T[D, rows] = V^T[D, keys] P^T[keys, rows]
  output.rows = head_size_;
  output.columns = rows;
  output.depth = keys;
  output.lda = head_size_;
  output.ldb = pitch;
  output.ldd = head_size_;
  output.batch = heads_kv_;
  output.stride_a = std::int64_t{keys} * head_size_;
  output.stride_b = rows * pitch;
  output.stride_d = rows * head_size_;
  auto score_product = std::make_unique<Matmul>(handle_, scores);
  p.output = std::make_unique<Matmul>(handle_, output);
  p.scores_algo = score_product->best(workspace_bytes);
  p.output_algo = p.output->best(workspace_bytes);
  p.scores = std::move(score_product);  // last: marks the entry complete
  return p;
}

void PrefillAttention::run(const PrefillShape& shape, const std::uint16_t* q, std::int64_t q_stride,
                           const std::uint16_t* keys, const std::uint16_t* values, std::uint16_t* out,
                           cudaStream_t stream) {
  const std::int64_t pitch = score_pitch(shape.keys());
  const int held = static_cast<int>(
      std::min<std::int64_t>(shape.queries, static_cast<std::int64_t>(scores_.size()) / heads_q_ / pitch));
  if (held < 1) throw std::invalid_argument("prefill attention: more keys than its buffers were made for");
  const auto heads = static_cast<unsigned>(heads_q_);
  const auto size = static_cast<unsigned>(head_size_);
  const std::int64_t out_stride = std::int64_t{heads_q_} * head_size_;
  for (int first = 0; first < shape.queries; first += held) {
    const int count = std::min(held, shape.queries - first);
    const Products& p = products(count, shape.keys());
    const dim3 tokens(static_cast<unsigned>(count), heads);
    heads_first<<<tokens, size, 0, stream>>>(q + first * q_stride, q_.get(), q_stride);
    BRINK_CUDA_CHECK(cudaGetLastError());
    p.scores->run(p.scores_algo, keys, q_.get(), scores_.get(), workspace_.get(), workspace_bytes, stream);
    causal_softmax<<<tokens, 256, 0, stream>>>(scores_.get(), weights_.get(), shape.keys(), static_cast<int>(pitch),
                                               shape.prefix + first, softmax_scale_log2(head_size_));
    BRINK_CUDA_CHECK(cudaGetLastError());
    p.output->run(p.output_algo, values, weights_.get(), out_.get(), workspace_.get(), workspace_bytes, stream);
    tokens_first<<<tokens, size, 0, stream>>>(out_.get(), out + first * out_stride, out_stride);
    BRINK_CUDA_CHECK(cudaGetLastError());
  }
}

void gather_sequence(const std::uint16_t* cache, const std::int32_t* table, int tokens, int heads_kv, int head_size,
                     std::uint16_t* to, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(tokens), static_cast<unsigned>(heads_kv));
  gather_paged<<<grid, static_cast<unsigned>(head_size), 0, stream>>>(cache, table, to);
  BRINK_CUDA_CHECK(cudaGetLastError());
}

}  // namespace brink::kernels
