#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/attention/attention_ops.h"
#include "kernels/decode_step/llama_shape.h"
#include "kernels/decode_step/row_results.h"
#include "kernels/decode_step/step_batch.h"
#include "kernels/gemm/lt_matmul.h"
#include "kernels/runner/device_memory.h"

namespace brink::kernels {

struct ModelLimits {
  int tokens_max = 2048;
  int seats_max = 256;
  int graph_rows_max = 256;  ///< the largest CUDA graph
  int kv_blocks = 8192;
  int context_max = 4608;
  std::int64_t workspace_bytes = std::int64_t{32} << 20;  ///< of every matrix product
};

/// A Llama-shaped model with random weights on one GPU, run step by step.
class LlamaModel {
 public:
  LlamaModel(const LlamaShape& shape, const ModelLimits& limits, int sm_count, cudaStream_t stream);
  ~LlamaModel();
  LlamaModel(const LlamaModel&) = delete;
  LlamaModel& operator=(const LlamaModel&) = delete;

  /// Device memory such a model takes, but for what cuBLASLt and graphs allocate.
  static std::int64_t bytes_needed(const LlamaShape& shape, const ModelLimits& limits);

  /// Captures the graph of every padded size up to the largest; call once, before timing.
  void capture_all();
  /// Ordinary random numbers in every KV slot. A new model's caches hold NaN, so that reading a slot that was never
  /// written shows; timing reads slots that no prompt wrote.
  void fill_caches();
  /// Enqueues one step: copies its inputs and launches it, as a graph if it decodes only and fits one (returns the
  /// padded rows), eagerly otherwise (returns 0). Reads results with the calls below after a synchronisation.
  int enqueue(const StepBatch& batch);
  /// Launches the graph of the last batch again: the same step, for timing.
  void replay_graph(int padded, cudaStream_t stream) const;

  /// Of the last step's logit rows, in their order.
  std::vector<TopTwo> top_two_rows(int rows) const;
  std::vector<std::int32_t> next_tokens(int rows) const;
  const DeviceArray<float>& logits() const { return logits_; }
  const LlamaShape& shape() const { return shape_; }
  const ModelLimits& limits() const { return limits_; }
  int table_stride() const { return table_stride_; }
  cudaStream_t stream() const { return stream_; }

 private:
  enum class Linear { qkv, o, gate_up, down, head };
  struct Product {
    std::unique_ptr<Matmul> matmul;
    Candidate candidate;
  };
  struct Layer {
    DeviceArray<std::uint16_t> qkv, o, gate_up, down, norm_attention, norm_mlp;
  };

  DeviceArray<std::uint16_t> make_weight(Weight weight, int layer, std::int64_t count) const;
  void copy_inputs(const StepBatch& batch);
  /// Enqueues a step of `rows` rows. `logit_rows` may be null: all rows.
  void record(int rows, int decodes, const std::vector<StepChunk>& chunks, int logit_count,
              const std::int32_t* logit_rows);
  void attend(int layer, int decodes, const std::vector<StepChunk>& chunks);
  void multiply(Linear which, int rows, const std::uint16_t* input, const std::uint16_t* weights, void* output);
  void normalize(int rows, const std::uint16_t* delta, const std::uint16_t* weight, std::uint16_t* out,
                 const std::int32_t* from_rows);
  std::uint16_t* k_cache(int layer) const { return k_cache_.get() + layer * cache_layer_; }
  std::uint16_t* v_cache(int layer) const { return v_cache_.get() + layer * cache_layer_; }

  LlamaShape shape_;
  ModelLimits limits_;
  int sm_count_;
  cudaStream_t stream_;
  LtHandle handle_;
  int table_stride_;
  std::int64_t cache_layer_;
  std::vector<Layer> layers_;
  DeviceArray<std::uint16_t> embedding_, norm_, head_;
  DeviceArray<std::uint16_t> k_cache_, v_cache_, k_sequence_, v_sequence_;
  DeviceArray<float2> rope_;
  DeviceArray<std::uint16_t> x_, y_, qkv_, attention_, delta_, gate_up_, activation_, last_;
  DeviceArray<float> logits_, partial_out_, partial_max_, partial_sum_;
  DeviceArray<std::int32_t> tokens_, positions_, slots_, contexts_, tables_, logit_rows_, next_tokens_;
  DeviceArray<TopTwo> top_two_;
  DeviceArray<std::uint8_t> workspace_;
  PinnedBytes staging_;
  cudaEvent_t staged_ = nullptr;
  PrefillAttention prefill_;
  std::map<std::pair<int, int>, Product> products_;  // by (Linear, rows)
  std::map<int, cudaGraphExec_t> graphs_;            // by padded rows
};

}  // namespace brink::kernels
