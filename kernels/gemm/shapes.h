#pragma once

#include <cstdint>
#include <vector>

namespace brink::kernels {

/// One linear layer as a rank runs it: Y[m, n] = X[m, k] W[n, k]^T.
struct GemmShape {
  std::int64_t n;
  std::int64_t k;
  const char* why;  ///< the layer, model and tensor-parallel degree it stands for
};

/// At most 24, from configs/models.
const std::vector<GemmShape>& gemm_shapes();

/// Workspace limits in bytes: batch-invariant engines (1 KiB forbids split-K), cuBLAS's default outside Hopper
/// (4 MiB) and on Hopper (32 MiB; cuBLAS documentation, "cublasSetWorkspace").
const std::vector<std::int64_t>& gemm_workspaces();

/// At most 24 row counts from 1 to 8192: decode batches densely, prefill chunks by octaves.
const std::vector<std::int64_t>& gemm_row_grid();

constexpr int gemm_rows_max = 512;  ///< the largest CUDA-graph batch of vLLM; the choice is asked for every m up to it

}  // namespace brink::kernels
