// The operators one rank executes in one step, in order, with the shapes that decide their
// time. Fusions are those of vLLM's compiled graph: merged QKV, merged gate+up, residual add
// inside RMSNorm, rope, one kernel that writes K and V to the cache, SiLU with its product.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/base/units.h"
#include "models/transformer/model.h"

namespace brink::transformer {

enum class OperatorKind { gemm, attention, elementwise, all_reduce, all_gather };

/// Which rows of the batch an operator works on: every (padded) token of the step, or only the
/// tokens a sequence samples from.
enum class Rows { tokens, sampled };

struct Operator {
  std::string name;                 // "qkv_proj", "rms_norm_post", "all_reduce_o" ...
  OperatorKind kind = OperatorKind::elementwise;
  Rows rows = Rows::tokens;
  std::int64_t repeat = 1;          // times a step: the layer count, or 1
  std::int64_t n = 0, k = 0;        // gemm: rows x k times k x n, weights of n*k elements
  std::int64_t q_heads = 0, kv_heads = 0, head_dim = 0;  // attention, per rank
  /// elementwise: HBM bytes read and written a row; all_reduce: message bytes a row;
  /// all_gather: bytes a row that each rank contributes.
  Bytes bytes_per_row{0.0};
  std::int64_t kernels = 1;         // launches each time
};

struct OperatorGraph {
  std::int64_t tensor_parallel = 1;
  std::vector<Operator> operators;  // step order; the operators of a layer are contiguous

  /// First operator called `name`, or nullptr.
  [[nodiscard]] const Operator* find(const std::string& name) const;
  /// Sum of repeat * kernels over elementwise, gemm and attention operators.
  [[nodiscard]] std::int64_t kernel_count() const;
};

/// Throws ConfigError as rank_shape() does.
[[nodiscard]] OperatorGraph operator_graph(const Model& model, std::int64_t tp);

[[nodiscard]] const char* kind_name(OperatorKind kind);

}  // namespace brink::transformer
