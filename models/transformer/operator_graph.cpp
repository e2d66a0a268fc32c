#include "models/transformer/operator_graph.h"

#include <utility>

#include "models/transformer/rank_shape.h"

namespace brink::transformer {
namespace {

// Builds the operators in step order; keeps element sizes and repeats in one place.
class Builder {
 public:
  Builder(const Model& model, std::int64_t tp) : model_(model), rank_(rank_shape(model, tp)) {
    graph_.tensor_parallel = tp;
  }

  OperatorGraph build() {
    before_layers();
    attention_block();
    mlp_block();
    head();
    return std::move(graph_);
  }

 private:
  // Activations are two bytes an element in both served dtypes.
  static Bytes half_words(std::int64_t elements) { return Bytes(2.0 * static_cast<double>(elements)); }

  Operator& add(const char* name, OperatorKind kind, std::int64_t repeat) {
    Operator op;
    op.name = name;
    op.kind = kind;
    op.repeat = repeat;
    graph_.operators.push_back(std::move(op));
    return graph_.operators.back();
  }

  void gemm(const char* name, std::int64_t n, std::int64_t k) {
    Operator& op = add(name, OperatorKind::gemm, model_.layers);
    op.n = n;
    op.k = k;
  }

  void elementwise(const char* name, Bytes bytes, std::int64_t kernels = 1) {
    Operator& op = add(name, OperatorKind::elementwise, model_.layers);
    op.bytes_per_row = bytes;
    op.kernels = kernels;
  }

  void all_reduce(const char* name, std::int64_t repeat) {
    if (rank_.tensor_parallel == 1) return;
    add(name, OperatorKind::all_reduce, repeat).bytes_per_row = half_words(model_.hidden);
  }

  void before_layers() {
    add("embedding", OperatorKind::elementwise, 1).bytes_per_row = half_words(2 * model_.hidden);
    all_reduce("all_reduce_embedding", 1);
  }

  void attention_block() {
    const std::int64_t d = model_.head_dim;
    const std::int64_t rotated = (rank_.q_heads + rank_.kv_heads) * d;
    // The fused norm reads and writes both the hidden state and the residual.
    elementwise("rms_norm_input", half_words(4 * model_.hidden));
    gemm("qkv_proj", (rank_.q_heads + 2 * rank_.kv_heads) * d, model_.hidden);
    if (model_.qk_norm) elementwise("qk_norm", half_words(2 * rotated), 2);
    elementwise("rope", half_words(2 * rotated));
    elementwise("kv_cache_write", half_words(4 * rank_.kv_heads * d));
    Operator& attention = add("attention", OperatorKind::attention, model_.layers);
    attention.q_heads = rank_.q_heads;
    attention.kv_heads = rank_.kv_heads;
    attention.head_dim = d;
    gemm("o_proj", model_.hidden, rank_.q_heads * d);
    all_reduce("all_reduce_o", model_.layers);
  }

  void mlp_block() {
    elementwise("rms_norm_post", half_words(4 * model_.hidden));
    gemm("gate_up_proj", 2 * rank_.intermediate, model_.hidden);
    elementwise("silu_and_mul", half_words(3 * rank_.intermediate));
    gemm("down_proj", model_.hidden, rank_.intermediate);
    all_reduce("all_reduce_down", model_.layers);
  }

  void head() {
    add("rms_norm_final", OperatorKind::elementwise, 1).bytes_per_row = half_words(4 * model_.hidden);
    Operator& logits = add("lm_head", OperatorKind::gemm, 1);
    logits.rows = Rows::sampled;
    logits.n = rank_.vocab;
    logits.k = model_.hidden;
    if (rank_.tensor_parallel > 1) {
      Operator& gather = add("all_gather_logits", OperatorKind::all_gather, 1);
      gather.rows = Rows::sampled;
      gather.bytes_per_row = half_words(rank_.vocab);
    }
    // Greedy: cast 16-bit logits to fp32 (2 read, 4 written), then argmax (4 read), and the
    // gather of the chosen ids; every rank samples the whole vocabulary.
    Operator& sampling = add("sampling", OperatorKind::elementwise, 1);
    sampling.rows = Rows::sampled;
    sampling.bytes_per_row = Bytes(10.0 * static_cast<double>(model_.vocab));
    sampling.kernels = 3;
  }

  const Model& model_;
  RankShape rank_;
  OperatorGraph graph_;
};

}  // namespace

const Operator* OperatorGraph::find(const std::string& name) const {
  for (const Operator& op : operators)
    if (op.name == name) return &op;
  return nullptr;
}

std::int64_t OperatorGraph::kernel_count() const {
  std::int64_t count = 0;
  for (const Operator& op : operators) {
    if (op.kind == OperatorKind::all_reduce || op.kind == OperatorKind::all_gather) continue;
    count += op.repeat * op.kernels;
  }
  return count;
}

OperatorGraph operator_graph(const Model& model, std::int64_t tp) { return Builder(model, tp).build(); }

const char* kind_name(OperatorKind kind) {
  switch (kind) {
    case OperatorKind::gemm: return "gemm";
    case OperatorKind::attention: return "attention";
    case OperatorKind::elementwise: return "elementwise";
    case OperatorKind::all_reduce: return "all_reduce";
    case OperatorKind::all_gather: return "all_gather";
  }
  return "";
}

}  // namespace brink::transformer
