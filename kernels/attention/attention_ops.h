#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <map>
#include <memory>
#include <tuple>

#include "kernels/attention/decode_params.h"
#include "kernels/gemm/lt_matmul.h"
#include "kernels/runner/device_memory.h"

namespace brink::kernels {

/// Launches decode attention for `batch` rows, and the merge of splits if there are several. Capturable.
void launch_decode(const DecodeParams& params, int batch, int head_size, cudaStream_t stream);

/// Shape of one prefill chunk of one sequence.
struct PrefillShape {
  int queries;  ///< new tokens
  int prefix;   ///< tokens before them, already in the cache
  int heads_q;
  int heads_kv;
  int head_size;
  int keys() const { return prefix + queries; }
};

/// Causal attention of a chunk through cuBLASLt: scores = Q K^T batched over KV heads (the query heads of a group
/// stacked as rows), softmax, weights V. Scores are kept in fp32, at most scores_max of them at a time: long chunks
/// go through in blocks of queries.
class PrefillAttention {
 public:
  static constexpr std::int64_t scores_max = std::int64_t{1} << 27;

  /// Buffers for chunks of up to `queries_max` tokens over `keys_max` keys.
  PrefillAttention(const LtHandle& handle, int heads_q, int heads_kv, int head_size, int queries_max, int keys_max);
  /// `q` and `out`: token-major rows of `q_stride` and heads_q * head_size elements; keys and values head-major
  /// [heads_kv][keys][head_size].
  void run(const PrefillShape& shape, const std::uint16_t* q, std::int64_t q_stride, const std::uint16_t* keys,
           const std::uint16_t* values, std::uint16_t* out, cudaStream_t stream);

 private:
  struct Products {
    std::unique_ptr<Matmul> scores;
    std::unique_ptr<Matmul> output;
    Candidate scores_algo;
    Candidate output_algo;
  };
  const Products& products(int queries, int keys);

  static constexpr std::int64_t workspace_bytes = std::int64_t{32} << 20;

  const LtHandle& handle_;
  int heads_q_;
  int heads_kv_;
  int head_size_;
  DeviceArray<std::uint16_t> q_;
  DeviceArray<std::uint16_t> out_;
  DeviceArray<float> scores_;
  DeviceArray<std::uint16_t> weights_;
  DeviceArray<std::uint8_t> workspace_;
  std::map<std::pair<int, int>, Products> products_;  // by (queries, keys)
};

/// Copies a sequence's paged keys or values to [heads_kv][tokens][head_size].
void gather_sequence(const std::uint16_t* cache, const std::int32_t* table, int tokens, int heads_kv, int head_size,
                     std::uint16_t* to, cudaStream_t stream);

}  // namespace brink::kernels
