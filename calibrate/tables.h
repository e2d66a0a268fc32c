// The rows of the measurement tables, in the units of the models.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/base/units.h"
#include "models/cost/all_reduce_cost.h"
#include "models/cost/attention_cost.h"
#include "models/cost/gemm_cost.h"

namespace brink::calibrate {

struct GemmRow {
  cost::GemmType type;
  std::int64_t m, n, k;
  Seconds time;
};

struct AttentionRow {
  cost::KvType kv;
  std::int64_t batch;
  std::int64_t new_tokens;  // per sequence
  std::int64_t cached;      // per sequence, before the new tokens
  cost::AttentionHeads heads;
  Seconds time;
  /// Where the KV lay, when the measurement says so. Else a kernel repeated on one KV found in L2 what fits there.
  std::optional<cost::KvResidency> residency = std::nullopt;
};

struct CollectiveRow {
  cost::CollectiveBackend backend;
  cost::CollectiveOp op;
  std::int64_t gpus;
  Bytes message;
  Seconds time;
};

/// One send and receive between two GPUs.
struct SendRecvRow {
  bool between_nodes;
  Bytes message;
  Seconds time;
};

/// Files of a data folder, as found by the readers below. A folder holds either the named set of the
/// published measurements or the plain names that imports write (kernels/gemm.csv, attention_decode.csv,
/// attention_prefill.csv; collectives/custom_all_reduce.csv, nccl.csv, send_recv.csv; facts/facts.csv; provenance.json).
/// In the plain set a table that does not exist is an empty path; so are the tables from send_recv on in either set.
struct TableFiles {
  std::string gemm, decode, prefill, custom_all_reduce, nccl, facts;
  std::string provenance;
  std::string send_recv;       // fitted
  std::string nccl_tests;      // another machine's all-reduce: compared with, never fitted
  std::string hardware_facts;  // sourced figures, compared with
  static TableFiles in(const std::string& data_dir);
};

/// Columns kernel_source, gemm_dtype, m, n, k, latency (ms). Throws Error or TraceError.
[[nodiscard]] std::vector<GemmRow> read_gemm_rows(const std::string& path);
/// Columns kernel_source, batch_size, isl, num_heads, num_key_value_heads, head_dim, attn_dtype, kv_cache_dtype,
/// step, window_size, latency (ms). Keeps full attention (no window) of one kernel; of any when `kernel` is empty.
[[nodiscard]] std::vector<AttentionRow> read_attention_rows(const std::string& path, std::string_view kernel = "vllm_flash_attn_fa3");
/// Columns num_gpus, message_bytes, backend, latency_us. Keeps messages below the selector's limit, where
/// the custom kernel really ran.
[[nodiscard]] std::vector<CollectiveRow> read_custom_rows(const std::string& path);
/// Columns op, num_gpus, message_bytes, latency_us.
[[nodiscard]] std::vector<CollectiveRow> read_nccl_rows(const std::string& path);
/// Columns num_gpus, size_bytes, time_us (nccl-tests' all-reduce). Keeps messages of 1 KB to 8 GiB: below, the tool times
/// launches, with stalls.
[[nodiscard]] std::vector<CollectiveRow> read_nccl_tests_rows(const std::string& path);
/// Columns num_workers (2), devices_per_node (1: between nodes, 2: inside one), size_bytes, median_us.
[[nodiscard]] std::vector<SendRecvRow> read_send_recv_rows(const std::string& path);

}  // namespace brink::calibrate
