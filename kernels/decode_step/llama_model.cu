#include "kernels/decode_step/llama_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/decode_step/llama_reference.h"
#include "kernels/decode_step/logit_compare.h"
#include "kernels/decode_step/step_kernels.cuh"
#include "kernels/gemm/rows.h"
#include "kernels/runner/cuda_check.h"

namespace brink::kernels {

namespace {

std::size_t product_of(std::int64_t a, std::int64_t b) { return static_cast<std::size_t>(a * b); }

/// RMSNorm's block: 1024 threads below 256 rows, 256 from there on (vLLM's rule: few rows must fill the device), so
/// that the step's bits change where an engine's do.
int norm_threads(int rows) { return rows < 256 ? 1024 : 256; }

dim3 grid2(int x, int y) { return dim3(static_cast<unsigned>(x), static_cast<unsigned>(y)); }

/// Input words a step copies at most.
std::size_t staging_bytes(const ModelLimits& limits, int table_stride) {
  return sizeof(std::int32_t) * (3 * product_of(limits.tokens_max, 1) + product_of(limits.seats_max, 2 + table_stride));
}

}  // namespace

LlamaModel::LlamaModel(const LlamaShape& shape, const ModelLimits& limits, int sm_count, cudaStream_t stream)
    : shape_(shape),
      limits_(limits),
      sm_count_(sm_count),
      stream_(stream),
      table_stride_(kv_blocks(limits.context_max)),
      cache_layer_(std::int64_t{limits.kv_blocks} * shape.heads_kv * kv_block_tokens * shape.head_size),
      staging_(staging_bytes(limits, table_stride_)),
      prefill_(handle_, shape.heads_q, shape.heads_kv, shape.head_size, limits.tokens_max, limits.context_max) {
  using Bf16 = DeviceArray<std::uint16_t>;
  using Int = DeviceArray<std::int32_t>;
  const std::int64_t h = shape.hidden;
  for (int i = 0; i < shape.layers; ++i) {
    Layer layer;
    layer.qkv = make_weight(Weight::qkv, i, h * shape.qkv_columns());
    layer.o = make_weight(Weight::o, i, h * shape.q_columns());
    layer.gate_up = make_weight(Weight::gate_up, i, 2 * h * shape.intermediate);
    layer.down = make_weight(Weight::down, i, h * shape.intermediate);
    layer.norm_attention = make_weight(Weight::norm_attention, i, h);
    layer.norm_mlp = make_weight(Weight::norm_mlp, i, h);
    layers_.push_back(std::move(layer));
  }
  embedding_ = make_weight(Weight::embedding, 0, h * shape.vocabulary);
  norm_ = make_weight(Weight::norm_final, 0, h);
  head_ = make_weight(Weight::head, 0, h * shape.vocabulary);

  k_cache_ = Bf16(product_of(shape.layers, cache_layer_));
  v_cache_ = Bf16(product_of(shape.layers, cache_layer_));
  k_cache_.poison(stream);  // a slot that is read before it is written shows as NaN
  v_cache_.poison(stream);
  k_sequence_ = Bf16(product_of(limits.context_max, shape.heads_kv * shape.head_size));
  v_sequence_ = Bf16(k_sequence_.size());
  const auto table = rope_table(shape, limits.context_max);
  std::vector<float2> pairs(table.size() / 2);
  std::memcpy(pairs.data(), table.data(), table.size() * sizeof(float));
  rope_ = DeviceArray<float2>(pairs.size());
  rope_.from_host(pairs);

  const std::int64_t t = limits.tokens_max;
  const std::int64_t s = limits.seats_max;
  x_ = Bf16(product_of(t, h));
  y_ = Bf16(product_of(t, h));
  delta_ = Bf16(product_of(t, h));
  qkv_ = Bf16(product_of(t, shape.qkv_columns()));
  attention_ = Bf16(product_of(t, shape.q_columns()));
  gate_up_ = Bf16(product_of(t, 2 * shape.intermediate));
  activation_ = Bf16(product_of(t, shape.intermediate));
  last_ = Bf16(product_of(s, h));
  logits_ = DeviceArray<float>(product_of(s, shape.vocabulary));
  // rows * splits_for_batch(rows) <= rows + 2 SMs.
  const std::int64_t partials = (s + 2 * sm_count) * shape.heads_q;
  partial_out_ = DeviceArray<float>(product_of(partials, shape.head_size));
  partial_max_ = DeviceArray<float>(product_of(partials, 1));
  partial_sum_ = DeviceArray<float>(product_of(partials, 1));
  tokens_ = Int(product_of(t, 1));
  positions_ = Int(product_of(t, 1));
  slots_ = Int(product_of(t, 1));
  contexts_ = Int(product_of(s, 1));
  logit_rows_ = Int(product_of(s, 1));
  next_tokens_ = Int(product_of(s, 1));
  tables_ = Int(product_of(s, table_stride_));
  top_two_ = DeviceArray<TopTwo>(product_of(s, 1));
  workspace_ = DeviceArray<std::uint8_t>(product_of(limits.workspace_bytes, 1));
  BRINK_CUDA_CHECK(cudaEventCreateWithFlags(&staged_, cudaEventDisableTiming));
  BRINK_CUDA_CHECK(cudaStreamSynchronize(stream));
}

LlamaModel::~LlamaModel() {
  for (const auto& [rows, graph] : graphs_) cudaGraphExecDestroy(graph);
  cudaEventDestroy(staged_);
}

std::int64_t LlamaModel::bytes_needed(const LlamaShape& shape, const ModelLimits& limits) {
  const std::int64_t t = limits.tokens_max;
  const std::int64_t wide = 3 * shape.hidden + shape.qkv_columns() + 3 * shape.q_columns() + 3 * shape.intermediate;
  const std::int64_t scores =
      6 * std::min(PrefillAttention::scores_max, std::int64_t{shape.heads_q} * t * (limits.context_max + 64));
  const std::int64_t seats =
      std::int64_t{limits.seats_max} * (4 * std::int64_t{shape.vocabulary} + 2 * shape.hidden + 8 * shape.q_columns());
  return 2 * shape.weight_elements() + limits.kv_blocks * shape.kv_bytes_per_block() + 2 * t * wide + scores + seats +
         2 * limits.workspace_bytes;
}

DeviceArray<std::uint16_t> LlamaModel::make_weight(Weight weight, int layer, std::int64_t count) const {
  DeviceArray<std::uint16_t> array(static_cast<std::size_t>(count));
  const WeightKey key = weight_key(shape_, weight, layer);
  fill_normal(array.get(), count, key.seed, key.scale, stream_);
  return array;
}

void LlamaModel::multiply(Linear which, int rows, const std::uint16_t* input, const std::uint16_t* weights,
                          void* output) {
  Product& p = products_[{static_cast<int>(which), rows}];
  if (!p.matmul) {
    std::int64_t n = shape_.hidden;
    std::int64_t k = shape_.hidden;
    if (which == Linear::qkv) n = shape_.qkv_columns();
    if (which == Linear::o) k = shape_.q_columns();
    if (which == Linear::gate_up) n = 2 * shape_.intermediate;
    if (which == Linear::down) k = shape_.intermediate;
    if (which == Linear::head) n = shape_.vocabulary;
    const cudaDataType_t result = which == Linear::head ? CUDA_R_32F : CUDA_R_16BF;
    auto matmul = std::make_unique<Matmul>(handle_, linear_spec(rows, n, k, CUDA_R_16BF, result));
    p.candidate = matmul->best(limits_.workspace_bytes);
    p.matmul = std::move(matmul);
  }
  p.matmul->run(p.candidate, weights, input, output, workspace_.get(), limits_.workspace_bytes, stream_);
}

void LlamaModel::normalize(int rows, const std::uint16_t* delta, const std::uint16_t* weight, std::uint16_t* out,
                           const std::int32_t* from_rows) {
  add_rms_norm<<<static_cast<unsigned>(rows), static_cast<unsigned>(norm_threads(rows)), 0, stream_>>>(
      x_.get(), delta, weight, out, from_rows, shape_.hidden);
  BRINK_CUDA_CHECK(cudaGetLastError());
}

void LlamaModel::attend(int layer, int decodes, const std::vector<StepChunk>& chunks) {
  const std::int64_t stride = shape_.qkv_columns();
  if (decodes > 0) {
    DecodeParams p = {};
    p.q = qkv_.get();
    p.k_cache = k_cache(layer);
    p.v_cache = v_cache(layer);
    p.block_tables = tables_.get();
    p.contexts = contexts_.get();
    p.out = attention_.get();
    p.partial_out = partial_out_.get();
    p.partial_max = partial_max_.get();
    p.partial_sum = partial_sum_.get();
    p.q_stride = stride;
    p.heads_q = shape_.heads_q;
    p.heads_kv = shape_.heads_kv;
    p.table_stride = table_stride_;
    p.splits = splits_for_batch(decodes, shape_.heads_kv, sm_count_);
    p.scale_log2 = static_cast<float>(1.4426950408889634 / std::sqrt(static_cast<double>(shape_.head_size)));
    launch_decode(p, decodes, shape_.head_size, stream_);
  }
  for (const StepChunk& chunk : chunks) {
    const PrefillShape shape = {chunk.count, chunk.prefix, shape_.heads_q, shape_.heads_kv, shape_.head_size};
    const std::int32_t* table = tables_.get() + std::int64_t{chunk.table_row} * table_stride_;
    gather_sequence(k_cache(layer), table, shape.keys(), shape_.heads_kv, shape_.head_size, k_sequence_.get(), stream_);
    gather_sequence(v_cache(layer), table, shape.keys(), shape_.heads_kv, shape_.head_size, v_sequence_.get(), stream_);
    prefill_.run(shape, qkv_.get() + chunk.row * stride, stride, k_sequence_.get(), v_sequence_.get(),
                 attention_.get() + std::int64_t{chunk.row} * shape_.q_columns(), stream_);
  }
}

void LlamaModel::record(int rows, int decodes, const std::vector<StepChunk>& chunks, int logit_count,
                        const std::int32_t* logit_rows) {
  const int h = shape_.hidden;
  embed_tokens<<<static_cast<unsigned>(rows), 256, 0, stream_>>>(embedding_.get(), tokens_.get(), x_.get(), h);
  BRINK_CUDA_CHECK(cudaGetLastError());
  const std::uint16_t* delta = nullptr;
  for (int i = 0; i < shape_.layers; ++i) {
    const Layer& layer = layers_[static_cast<std::size_t>(i)];
    normalize(rows, delta, layer.norm_attention.get(), y_.get(), nullptr);
    multiply(Linear::qkv, rows, y_.get(), layer.qkv.get(), qkv_.get());
    rope_and_store<<<grid2(rows, shape_.heads_q + 2 * shape_.heads_kv), static_cast<unsigned>(shape_.head_size / 2), 0,
                     stream_>>>(qkv_.get(), rope_.get(), positions_.get(), slots_.get(), k_cache(i), v_cache(i),
                                shape_.heads_q, shape_.heads_kv);
    BRINK_CUDA_CHECK(cudaGetLastError());
    attend(i, decodes, chunks);
    multiply(Linear::o, rows, attention_.get(), layer.o.get(), delta_.get());
    normalize(rows, delta_.get(), layer.norm_mlp.get(), y_.get(), nullptr);
    multiply(Linear::gate_up, rows, y_.get(), layer.gate_up.get(), gate_up_.get());
    silu_and_mul<<<grid2((shape_.intermediate + 255) / 256, rows), 256, 0, stream_>>>(gate_up_.get(), activation_.get(),
                                                                                      shape_.intermediate);
    BRINK_CUDA_CHECK(cudaGetLastError());
    multiply(Linear::down, rows, activation_.get(), layer.down.get(), delta_.get());
    delta = delta_.get();
  }
  if (logit_count == 0) return;  // chunks that end within their prompts
  normalize(logit_count, delta, norm_.get(), last_.get(), logit_rows);
  multiply(Linear::head, logit_count, last_.get(), head_.get(), logits_.get());
  top_two<<<static_cast<unsigned>(logit_count), 256, 0, stream_>>>(logits_.get(), top_two_.get(), next_tokens_.get(),
                                                                   shape_.vocabulary);
  BRINK_CUDA_CHECK(cudaGetLastError());
}

void LlamaModel::copy_inputs(const StepBatch& batch) {
  // The staging area may still be read by the copies of the step before.
  BRINK_CUDA_CHECK(cudaEventSynchronize(staged_));
  unsigned char* at = staging_.get();
  const auto put = [&](const std::vector<std::int32_t>& from, const DeviceArray<std::int32_t>& to) {
    if (from.size() > to.size()) throw std::invalid_argument("a step is larger than the model's limits");
    const std::size_t bytes = from.size() * sizeof(std::int32_t);
    if (bytes == 0) return;
    std::memcpy(at, from.data(), bytes);
    BRINK_CUDA_CHECK(cudaMemcpyAsync(to.get(), at, bytes, cudaMemcpyHostToDevice, stream_));
    at += bytes;
  };
  put(batch.tokens, tokens_);
  put(batch.positions, positions_);
  put(batch.slots, slots_);
  put(batch.contexts, contexts_);
  put(batch.tables, tables_);
  put(batch.logit_rows, logit_rows_);
  BRINK_CUDA_CHECK(cudaEventRecord(staged_, stream_));
}

void LlamaModel::capture_all() {
  for (int rows = 1; rows <= limits_.graph_rows_max; ++rows) {
    if (padded_rows(rows, limits_.graph_rows_max) != rows || graphs_.count(rows) > 0) continue;
    StepBatch padding;
    padding.table_stride = table_stride_;
    padding.pad_decodes(rows);
    copy_inputs(padding);
    record(rows, rows, {}, rows, nullptr);  // loads modules and chooses algorithms, which capture must not do
    BRINK_CUDA_CHECK(cudaStreamSynchronize(stream_));
    cudaGraph_t graph = nullptr;
    BRINK_CUDA_CHECK(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal));
    try {
      record(rows, rows, {}, rows, nullptr);
    } catch (...) {
      cudaStreamEndCapture(stream_, &graph);  // a stream left capturing would fail everything after it
      if (graph != nullptr) cudaGraphDestroy(graph);
      throw;
    }
    BRINK_CUDA_CHECK(cudaStreamEndCapture(stream_, &graph));
    cudaGraphExec_t executable = nullptr;
    const cudaError_t status = cudaGraphInstantiate(&executable, graph, 0);
    cudaGraphDestroy(graph);
    BRINK_CUDA_CHECK(status);
    graphs_[rows] = executable;
    BRINK_CUDA_CHECK(cudaGraphUpload(executable, stream_));
  }
  BRINK_CUDA_CHECK(cudaStreamSynchronize(stream_));
}

int LlamaModel::enqueue(const StepBatch& batch) {
  const int padded = batch.chunks.empty() ? padded_rows(batch.rows(), limits_.graph_rows_max) : 0;
  const auto graph = graphs_.find(padded);
  if (graph == graphs_.end()) {
    copy_inputs(batch);
    record(batch.rows(), batch.decodes, batch.chunks, static_cast<int>(batch.logit_rows.size()), logit_rows_.get());
    return 0;
  }
  StepBatch full = batch;
  full.pad_decodes(padded);
  copy_inputs(full);
  BRINK_CUDA_CHECK(cudaGraphLaunch(graph->second, stream_));
  return padded;
}

void LlamaModel::replay_graph(int padded, cudaStream_t stream) const {
  BRINK_CUDA_CHECK(cudaGraphLaunch(graphs_.at(padded), stream));
}

std::vector<TopTwo> LlamaModel::top_two_rows(int rows) const {
  return top_two_.to_host(stream_, 0, static_cast<std::size_t>(rows));
}

std::vector<std::int32_t> LlamaModel::next_tokens(int rows) const {
  return next_tokens_.to_host(stream_, 0, static_cast<std::size_t>(rows));
}

void LlamaModel::fill_caches() {
  fill_normal(k_cache_.get(), static_cast<std::int64_t>(k_cache_.size()), 0x6b, 1.0f, stream_);
  fill_normal(v_cache_.get(), static_cast<std::int64_t>(v_cache_.size()), 0x76, 1.0f, stream_);
}

std::vector<RowDifference> logit_differences(const LlamaModel& model, const float* want, int first, int count) {
  const int width = model.shape().vocabulary;
  DeviceArray<RowDifference> differences(static_cast<std::size_t>(count));
  BRINK_CUDA_CHECK(cudaMemsetAsync(differences.get(), 0, differences.bytes(), model.stream()));
  compare_logits<<<static_cast<unsigned>(count), 256, 0, model.stream()>>>(
      model.logits().get(), want + std::int64_t{first} * width, differences.get(), width);
  BRINK_CUDA_CHECK(cudaGetLastError());
  return differences.to_host(model.stream());
}

}  // namespace brink::kernels
