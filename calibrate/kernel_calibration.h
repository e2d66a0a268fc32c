// From measurement tables to a kernel profile.
#pragma once

#include <string>
#include <vector>

#include "calibrate/tables.h"
#include "calibrate/validation.h"
#include "models/base/json.h"
#include "models/cost/gpu_facts.h"
#include "models/gpu/gpu_spec.h"

namespace brink::calibrate {

/// Measured kernel times of one GPU, wherever they come from. A kind may be empty.
struct KernelRows {
  std::vector<GemmRow> gemm;
  std::vector<AttentionRow> decode, prefill;
  std::vector<CollectiveRow> collectives;
  std::vector<SendRecvRow> send_recv;
  std::vector<CollectiveRow> other_machine;  // compared with, never fitted
  std::string hardware_facts;                // the same: a file, or empty
};

/// The sections `collectives`, `decode_attention`, `prefill_attention` and `gemm` of a profile (empty where
/// there were no rows) and `point_to_point` (absent then), and how they compare with the rows, in sample and held out.
struct FittedSections {
  Json sections;
  std::vector<ValidationRow> comparisons;
};

/// Fits laws and surfaces to rows. Throws Error for rows that are too few for a surface.
[[nodiscard]] FittedSections fit_rows(const KernelRows& rows, const cost::GpuFacts& gpu);

/// Hardware facts a profile carries, from the GPU's description alone: copies at the achieved bandwidth, and the
/// 64 bytes a cycle that leave the L2 for an SM at most (DeepGEMM, heuristics of sm90).
[[nodiscard]] cost::GpuFacts described_facts(const gpu::GpuSpec& spec);

/// The same, but from the tables' own facts file the copy and
/// L2 bandwidths. Throws Error when the file lacks one.
[[nodiscard]] cost::GpuFacts gpu_facts(const gpu::GpuSpec& spec, const std::string& data_dir);

/// The profile document (schema_version 1) with provenance and the residuals of `cross_validate`.
/// The same tables give the same bytes. `host`, when not null, is carried over.
/// Throws Error or TraceError for a table that cannot be used.
[[nodiscard]] Json fit_kernels(const std::string& data_dir, const gpu::GpuSpec& spec, const Json& host = {});

/// In-sample and held-out comparisons: whole (n, k) shapes, whole head combinations, message sizes.
[[nodiscard]] std::vector<ValidationRow> cross_validate(const std::string& data_dir, const gpu::GpuSpec& spec);

}  // namespace brink::calibrate
