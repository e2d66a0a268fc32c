#include "kernels/gemm/lt_matmul.h"

#include "kernels/runner/cuda_check.h"

namespace brink::kernels {

namespace {

cublasLtMatrixLayout_t make_layout(cudaDataType_t type, std::int64_t rows, std::int64_t columns, std::int64_t ld,
                                   int batch, std::int64_t stride) {
  cublasLtMatrixLayout_t layout = nullptr;
  BRINK_CUBLAS_CHECK(cublasLtMatrixLayoutCreate(&layout, type, static_cast<std::uint64_t>(rows),
                                                static_cast<std::uint64_t>(columns), ld));
  if (batch > 1) {
    const std::int32_t count = batch;
    BRINK_CUBLAS_CHECK(
        cublasLtMatrixLayoutSetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof(count)));
    BRINK_CUBLAS_CHECK(
        cublasLtMatrixLayoutSetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof(stride)));
  }
  return layout;
}

/// A configuration field; 0 where this algorithm has no such field.
template <typename T>
T config(const cublasLtMatmulAlgo_t& algo, cublasLtMatmulAlgoConfigAttributes_t attribute) {
  T value = 0;
  std::size_t written = 0;
  const cublasStatus_t status = cublasLtMatmulAlgoConfigGetAttribute(&algo, attribute, &value, sizeof(value), &written);
  return status == CUBLAS_STATUS_SUCCESS ? value : T{0};
}

Tactic read_tactic(const cublasLtMatmulHeuristicResult_t& result) {
  const cublasLtMatmulAlgo_t& algo = result.algo;
  Tactic t;
  t.id = config<std::int32_t>(algo, CUBLASLT_ALGO_CONFIG_ID);
  t.tile = config<std::uint32_t>(algo, CUBLASLT_ALGO_CONFIG_TILE_ID);
  t.stages = config<std::uint32_t>(algo, CUBLASLT_ALGO_CONFIG_STAGES_ID);
  t.split_k = config<std::int32_t>(algo, CUBLASLT_ALGO_CONFIG_SPLITK_NUM);
  t.reduction = config<std::uint32_t>(algo, CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME);
  t.swizzle = config<std::uint32_t>(algo, CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING);
  t.custom = config<std::uint32_t>(algo, CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION);
  t.inner = config<std::uint16_t>(algo, CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID);
  t.cluster = config<std::uint16_t>(algo, CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID);
  t.workspace_bytes = result.workspaceSize;
  return t;
}

}  // namespace

LtHandle::LtHandle() { BRINK_CUBLAS_CHECK(cublasLtCreate(&handle_)); }
LtHandle::~LtHandle() { cublasLtDestroy(handle_); }

MatmulSpec linear_spec(std::int64_t m, std::int64_t n, std::int64_t k, cudaDataType_t operand, cudaDataType_t result) {
  MatmulSpec spec;
  spec.rows = n;
  spec.columns = m;
  spec.depth = k;
  spec.transpose_a = true;
  spec.lda = k;
  spec.ldb = k;
  spec.ldd = n;
  spec.operand = operand;
  spec.result = result;
  return spec;
}

Matmul::Matmul(const LtHandle& handle, const MatmulSpec& s) : handle_(handle.get()) {
  BRINK_CUBLAS_CHECK(cublasLtMatmulDescCreate(&operation_, CUBLAS_COMPUTE_32F, CUDA_R_32F));
  const cublasOperation_t transpose = s.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
  BRINK_CUBLAS_CHECK(
      cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_TRANSA, &transpose, sizeof(transpose)));
  a_ = s.transpose_a ? make_layout(s.operand, s.depth, s.rows, s.lda, s.batch, s.stride_a)
                     : make_layout(s.operand, s.rows, s.depth, s.lda, s.batch, s.stride_a);
  b_ = make_layout(s.operand, s.depth, s.columns, s.ldb, s.batch, s.stride_b);
  d_ = make_layout(s.result, s.rows, s.columns, s.ldd, s.batch, s.stride_d);
}

Matmul::~Matmul() {
  cublasLtMatrixLayoutDestroy(d_);
  cublasLtMatrixLayoutDestroy(b_);
  cublasLtMatrixLayoutDestroy(a_);
  cublasLtMatmulDescDestroy(operation_);
}

void Matmul::set_scales(const float* scale_a, const float* scale_b) {
  BRINK_CUBLAS_CHECK(
      cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, &scale_a, sizeof(scale_a)));
  BRINK_CUBLAS_CHECK(
      cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, &scale_b, sizeof(scale_b)));
}

std::vector<Candidate> Matmul::candidates(std::int64_t workspace_bytes, int count) const {
  cublasLtMatmulPreference_t preference = nullptr;
  BRINK_CUBLAS_CHECK(cublasLtMatmulPreferenceCreate(&preference));
  const auto limit = static_cast<std::uint64_t>(workspace_bytes);
  std::vector<cublasLtMatmulHeuristicResult_t> results(static_cast<std::size_t>(count));
  int found = 0;
  cublasStatus_t status =
      cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &limit, sizeof(limit));
  if (status == CUBLAS_STATUS_SUCCESS) {
    status =
        cublasLtMatmulAlgoGetHeuristic(handle_, operation_, a_, b_, d_, d_, preference, count, results.data(), &found);
  }
  cublasLtMatmulPreferenceDestroy(preference);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED) return {};
  BRINK_CUBLAS_CHECK(status);
  std::vector<Candidate> out;
  for (int i = 0; i < found; ++i) {
    const auto& result = results[static_cast<std::size_t>(i)];
    if (result.state != CUBLAS_STATUS_SUCCESS) continue;
    Candidate candidate;
    candidate.algo = result.algo;
    candidate.tactic = read_tactic(result);
    candidate.waves = static_cast<double>(result.wavesCount);
    out.push_back(candidate);
  }
  return out;
}

Candidate Matmul::best(std::int64_t workspace_bytes) const {
  const auto found = candidates(workspace_bytes, 1);
  if (found.empty()) {
    throw CudaError("cuBLASLt offers no algorithm within " + std::to_string(workspace_bytes) + " bytes of workspace",
                    false);
  }
  return found.front();
}

void Matmul::run(const Candidate& candidate, const void* a, const void* b, void* d, void* workspace,
                 std::int64_t workspace_bytes, cudaStream_t stream) const {
  const float alpha = 1.0f;
  const float beta = 0.0f;
  BRINK_CUBLAS_CHECK(cublasLtMatmul(handle_, operation_, &alpha, a, a_, b, b_, &beta, d, d_, d, d_, &candidate.algo,
                                    workspace, static_cast<std::size_t>(workspace_bytes), stream));
}

}  // namespace brink::kernels
