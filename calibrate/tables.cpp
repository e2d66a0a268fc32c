#include "calibrate/tables.h"

#include <filesystem>
#include <map>

#include "calibrate/csv.h"
#include "models/base/error.h"

namespace brink::calibrate {
namespace {

// vLLM's custom all-reduce serves messages below 8 MiB (vLLM custom_all_reduce.py, max_size).
constexpr std::int64_t kCustomLimit = std::int64_t{8} << 20;

constexpr double kNcclTestsLeast = 1000.0, kNcclTestsMost = 8.0 * 1073741824.0;

Seconds positive_time(double value, double unit, const std::string& path, std::size_t row) {
  if (!(value > 0.0)) throw TraceError(path, row + 2, "a latency is positive");
  return Seconds(value * unit);
}

}  // namespace

TableFiles TableFiles::in(const std::string& data_dir) {
  const std::filesystem::path root(data_dir);
  if (!std::filesystem::is_directory(root)) throw Error("no folder '" + data_dir + "': give the folder that holds kernels/ and collectives/");
  const auto optional = [&root](const char* name) { return std::filesystem::is_regular_file(root / name) ? (root / name).string() : std::string(); };
  if (std::filesystem::is_regular_file(root / "provenance.json")) {
    return {optional("kernels/gemm.csv"), optional("kernels/attention_decode.csv"), optional("kernels/attention_prefill.csv"),
            optional("collectives/custom_all_reduce.csv"), optional("collectives/nccl.csv"), (root / "facts/facts.csv").string(),
            (root / "provenance.json").string(), optional("collectives/send_recv.csv"), {}, {}};
  }
  return {(root / "kernels/h100_gemm_vllm0.24_train.csv.gz").string(),
          (root / "kernels/h100_attention_decode_vllm0.24_train.csv.gz").string(),
          (root / "kernels/h100_attention_prefill_vllm0.24_train.csv.gz").string(),
          (root / "collectives/h100_vllm0.24_custom_allreduce_train.csv").string(),
          (root / "collectives/h100_nccl2.29.2_train.csv").string(),
          (root / "facts/gemm_hbm_points.csv").string(),
          {},
          optional("collectives/h100_send_recv_train.csv"),
          optional("collectives/h100_nccl_tests_8gpu_train.csv"),
          optional("facts/hardware_facts.csv")};
}

std::vector<GemmRow> read_gemm_rows(const std::string& path) {
  const CsvTable table = CsvTable::read(path);
  const std::map<std::string, cost::GemmType, std::less<>> types{
      {"bfloat16", cost::GemmType::bf16}, {"fp8", cost::GemmType::fp8}, {"fp8_block", cost::GemmType::fp8_block}};
  const std::size_t type = table.column("gemm_dtype"), m = table.column("m"), n = table.column("n"), k = table.column("k"),
                    latency = table.column("latency");
  std::vector<GemmRow> rows;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const auto found = types.find(table.text(i, type));
    if (found == types.end()) continue;
    rows.push_back({found->second, table.integer(i, m), table.integer(i, n), table.integer(i, k),
                    positive_time(table.number(i, latency), 1e-3, path, i)});
  }
  return rows;
}

std::vector<AttentionRow> read_attention_rows(const std::string& path, std::string_view kernel) {
  const CsvTable table = CsvTable::read(path);
  const std::size_t source = table.column("kernel_source"), batch = table.column("batch_size"), isl = table.column("isl"),
                    query = table.column("num_heads"), kv_heads = table.column("num_key_value_heads"), dim = table.column("head_dim"),
                    kv = table.column("kv_cache_dtype"), step = table.column("step"), window = table.column("window_size"),
                    latency = table.column("latency");
  std::vector<AttentionRow> rows;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    if (table.integer(i, window) != 0 || (!kernel.empty() && table.text(i, source) != kernel)) continue;
    const std::string_view type = table.text(i, kv);
    if (type != "bfloat16" && type != "fp8") continue;
    rows.push_back({type == "fp8" ? cost::KvType::fp8 : cost::KvType::bf16, table.integer(i, batch), table.integer(i, isl),
                    table.integer(i, step), {table.integer(i, query), table.integer(i, kv_heads), table.integer(i, dim)},
                    positive_time(table.number(i, latency), 1e-3, path, i), std::nullopt});
  }
  return rows;
}

std::vector<CollectiveRow> read_custom_rows(const std::string& path) {
  const CsvTable table = CsvTable::read(path);
  const std::size_t gpus = table.column("num_gpus"), bytes = table.column("message_bytes"), backend = table.column("backend"),
                    latency = table.column("latency_us");
  std::vector<CollectiveRow> rows;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const std::int64_t message = table.integer(i, bytes);
    if (message >= kCustomLimit) continue;
    const auto which = table.text(i, backend) == "vllm_graph" ? cost::CollectiveBackend::custom_graph : cost::CollectiveBackend::custom_eager;
    rows.push_back({which, cost::CollectiveOp::all_reduce, table.integer(i, gpus), Bytes(static_cast<double>(message)),
                    positive_time(table.number(i, latency), 1e-6, path, i)});
  }
  return rows;
}

std::vector<CollectiveRow> read_nccl_rows(const std::string& path) {
  const CsvTable table = CsvTable::read(path);
  const std::map<std::string, cost::CollectiveOp, std::less<>> ops{{"all_reduce", cost::CollectiveOp::all_reduce},
                                                                   {"all_gather", cost::CollectiveOp::all_gather},
                                                                   {"reduce_scatter", cost::CollectiveOp::reduce_scatter},
                                                                   {"alltoall", cost::CollectiveOp::all_to_all}};
  const std::size_t op = table.column("op"), gpus = table.column("num_gpus"), bytes = table.column("message_bytes"),
                    latency = table.column("latency_us");
  std::vector<CollectiveRow> rows;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const auto found = ops.find(table.text(i, op));
    if (found == ops.end()) throw TraceError(path, i + 2, "op: got '" + std::string(table.text(i, op)) + "'; all_reduce, all_gather, reduce_scatter or alltoall");
    rows.push_back({cost::CollectiveBackend::nccl, found->second, table.integer(i, gpus), Bytes(table.number(i, bytes)),
                    positive_time(table.number(i, latency), 1e-6, path, i)});
  }
  return rows;
}

std::vector<CollectiveRow> read_nccl_tests_rows(const std::string& path) {
  const CsvTable table = CsvTable::read(path);
  const std::size_t gpus = table.column("num_gpus"), bytes = table.column("size_bytes"), time = table.column("time_us");
  std::vector<CollectiveRow> rows;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    if (table.number(i, bytes) < kNcclTestsLeast || table.number(i, bytes) > kNcclTestsMost) continue;
    rows.push_back({cost::CollectiveBackend::nccl, cost::CollectiveOp::all_reduce, table.integer(i, gpus), Bytes(table.number(i, bytes)),
                    positive_time(table.number(i, time), 1e-6, path, i)});
  }
  return rows;
}

std::vector<SendRecvRow> read_send_recv_rows(const std::string& path) {
  const CsvTable table = CsvTable::read(path);
  const std::size_t workers = table.column("num_workers"), each = table.column("devices_per_node"), bytes = table.column("size_bytes"),
                    median = table.column("median_us");
  std::vector<SendRecvRow> rows;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const std::int64_t devices = table.integer(i, each);
    if (table.integer(i, workers) != 2 || devices < 1 || devices > 2)
      throw TraceError(path, i + 2, "two workers, one or two to a node");
    rows.push_back({devices == 1, Bytes(table.number(i, bytes)), positive_time(table.number(i, median), 1e-6, path, i)});
  }
  return rows;
}

}  // namespace brink::calibrate
