#include "calibrate/kernel_calibration.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "calibrate/attention_fit.h"
#include "calibrate/collective_fit.h"
#include "calibrate/csv.h"
#include "calibrate/gemm_fit.h"
#include "calibrate/network_fit.h"
#include "models/base/error.h"
#include "models/base/sha256.h"
#include "models/cost/elementwise_cost.h"

namespace brink::calibrate {
namespace {

using cost::GemmType;

constexpr const char* kVersion = "0.1.0";
// Block-scaled FP8 is left out: its rows stand at 58 us (m <= 17) and 85 us (above) until the kernel outlasts
// that, which is the host launching it eagerly and not the GPU.
constexpr std::pair<const char*, GemmType> kGemmTypes[] = {{"bf16", GemmType::bf16}, {"fp8", GemmType::fp8}};

// A kernel inside a CUDA graph that moves next to nothing still starts, waits for two dependent HBM round
// trips (0.4 us each, 690 cycles) and drains: about 2 us between consecutive small kernels.
constexpr double kElementwiseFloorUs = 2.0;

// FlashAttention 3 is what the published tables' engine runs on this GPU; an import holds one kernel only.
std::string_view attention_kernel(const TableFiles& files) { return files.provenance.empty() ? "vllm_flash_attn_fa3" : ""; }

KernelRows read_rows(const TableFiles& files) {
  KernelRows rows;
  if (!files.gemm.empty()) rows.gemm = read_gemm_rows(files.gemm);
  if (!files.decode.empty()) rows.decode = read_attention_rows(files.decode, attention_kernel(files));
  if (!files.prefill.empty()) rows.prefill = read_attention_rows(files.prefill, attention_kernel(files));
  if (!files.custom_all_reduce.empty()) rows.collectives = read_custom_rows(files.custom_all_reduce);
  if (!files.nccl.empty())
    for (CollectiveRow& row : read_nccl_rows(files.nccl)) rows.collectives.push_back(row);
  if (!files.send_recv.empty()) rows.send_recv = read_send_recv_rows(files.send_recv);
  if (!files.nccl_tests.empty()) rows.other_machine = read_nccl_tests_rows(files.nccl_tests);
  rows.hardware_facts = files.hardware_facts;
  return rows;
}

struct Fits {
  std::vector<std::pair<std::pair<const char*, GemmType>, cost::GemmCost>> gemm;
  std::vector<AttentionGroup> decode_groups, prefill_groups;
  std::vector<cost::DecodeCost> decode;
  std::vector<cost::PrefillCost> prefill;
  std::vector<cost::CollectiveCost> collectives;
  std::optional<cost::PointToPoint> point_to_point;
};

Fits fit(const KernelRows& rows, const cost::GpuFacts& gpu) {
  Fits fits;
  for (const auto& entry : kGemmTypes)
    if (std::any_of(rows.gemm.begin(), rows.gemm.end(), [&](const GemmRow& row) { return row.type == entry.second; }))
      fits.gemm.emplace_back(entry, fit_gemm(rows.gemm, entry.second, gpu));
  fits.decode_groups = group_attention(rows.decode);
  fits.prefill_groups = group_attention(rows.prefill);
  for (const AttentionGroup& group : fits.decode_groups) fits.decode.push_back(fit_decode(group, gpu));
  for (const AttentionGroup& group : fits.prefill_groups) fits.prefill.push_back(fit_prefill(group, gpu));
  fits.collectives = fit_collectives(rows.collectives);
  if (!rows.send_recv.empty()) fits.point_to_point = fit_point_to_point(rows.send_recv);
  return fits;
}

std::vector<ValidationRow> validate(const KernelRows& tables, const Fits& fits, const cost::GpuFacts& gpu) {
  std::vector<ValidationRow> rows;
  for (const auto& [type, cost] : fits.gemm) validate_gemm(tables.gemm, type.second, gpu, cost, rows);
  for (std::size_t i = 0; i < fits.decode.size(); ++i) validate_decode(fits.decode_groups[i], gpu, fits.decode[i], rows);
  for (std::size_t i = 0; i < fits.prefill.size(); ++i) validate_prefill(fits.prefill_groups[i], gpu, fits.prefill[i], rows);
  validate_collectives(tables.collectives, fits.collectives, rows);
  validate_other_machine(tables.other_machine, fits.collectives, rows);
  if (!fits.point_to_point) return rows;
  validate_point_to_point(tables.send_recv, rows);
  if (!tables.hardware_facts.empty()) validate_two_nodes(tables.hardware_facts, *fits.point_to_point, rows);
  return rows;
}

Json source_of(const TableFiles& files) {
  Json source = Json::object();
  source.set("tool", std::string("brink-calibrate ") + kVersion);
  source.set("method", "laws by downhill simplex on mean |log error|; residuals by Gaussian-process regression (Matern 3/2); see docs/model/kernel-cost.md");
  source.set("hold_out", "five folds over whole (n, k) shapes and whole head combinations; message sizes one at a time");
  source.set("data", files.provenance.empty() ? Json("NVIDIA AIConfigurator database (Apache-2.0), H100 SXM; send and receive from Vidur (MIT); hardware facts from Azure ND H100 v5 results and RRZE gpu-benches")
                                               : load_json(files.provenance));
  Json& list = source.set("files", Json::array());
  for (const std::string& path : {files.gemm, files.decode, files.prefill, files.custom_all_reduce, files.nccl, files.facts, files.send_recv}) {
    if (path.empty()) continue;
    Json& item = list.push_back(Json::object());
    item.set("name", std::filesystem::path(path).filename().string());
    item.set("sha256", sha256_of_file(path));
  }
  return source;
}

double fact(const CsvTable& table, std::string_view prefix, double scale) {
  const std::size_t what = table.column("what"), value = table.column("value");
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (!table.text(row, what).starts_with(prefix)) continue;
    std::string_view cell = table.text(row, value);
    if (cell.starts_with('~')) cell.remove_prefix(1);  // "about"
    return std::stod(std::string(cell)) * scale;
  }
  throw Error("facts/gemm_hbm_points.csv: no row whose 'what' begins with '" + std::string(prefix) + "'");
}

}  // namespace

cost::GpuFacts described_facts(const gpu::GpuSpec& spec) {
  cost::GpuFacts facts;
  facts.name = spec.name;
  facts.sm_count = spec.sms;
  facts.clock = spec.clock_of_peak;
  facts.peak_bf16 = spec.bf16_peak;
  facts.sustained_bf16 = spec.bf16_sustained;
  facts.peak_fp8 = spec.fp8_peak;
  facts.sustained_fp8 = spec.fp8_sustained;
  facts.hbm_peak = spec.hbm_peak;
  facts.hbm_copy = spec.hbm_achieved;
  facts.l2_bandwidth = BytesPerSecond(64.0 * static_cast<double>(spec.sms) * spec.clock_of_peak.value());
  facts.l2_size = spec.l2;
  return facts;
}

cost::GpuFacts gpu_facts(const gpu::GpuSpec& spec, const std::string& data_dir) {
  const CsvTable table = CsvTable::read(TableFiles::in(data_dir).facts);
  cost::GpuFacts facts = described_facts(spec);
  facts.hbm_copy = BytesPerSecond(fact(table, "HBM copy", 1e12));
  facts.l2_bandwidth = BytesPerSecond(fact(table, "L2 read bandwidth", 1e9));
  return facts;
}

FittedSections fit_rows(const KernelRows& rows, const cost::GpuFacts& gpu) {
  const Fits fits = fit(rows, gpu);
  FittedSections fitted;
  fitted.comparisons = validate(rows, fits, gpu);
  Json& sections = fitted.sections = Json::object();
  Json& collectives = sections.set("collectives", Json::array());
  for (const auto& cost : fits.collectives) collectives.push_back(cost.to_json());
  if (fits.point_to_point) sections.set("point_to_point", fits.point_to_point->to_json());
  Json& decode = sections.set("decode_attention", Json::array());
  for (const auto& cost : fits.decode) decode.push_back(cost.to_json());
  Json& prefill = sections.set("prefill_attention", Json::array());
  for (const auto& cost : fits.prefill) prefill.push_back(cost.to_json());
  Json& gemm = sections.set("gemm", Json::object());
  for (const auto& [type, cost] : fits.gemm) gemm.set(type.first, cost.to_json());
  return fitted;
}

Json fit_kernels(const std::string& data_dir, const gpu::GpuSpec& spec, const Json& host) {
  const cost::GpuFacts gpu = gpu_facts(spec, data_dir);
  const TableFiles files = TableFiles::in(data_dir);
  FittedSections fitted = fit_rows(read_rows(files), gpu);
  Json profile = Json::object();
  profile.set("schema_version", 1);
  profile.set("source", source_of(files));
  profile.set("gpu", gpu.to_json());
  profile.set("residuals", to_json(summarise(fitted.comparisons)));
  if (!host.is_null()) profile.set("host", host);
  profile.set("elementwise", cost::ElementwiseCost{gpu.hbm_copy, microseconds(kElementwiseFloorUs)}.to_json());
  for (auto& [name, section] : fitted.sections.members()) profile.set(name, std::move(section));
  return profile;
}

std::vector<ValidationRow> cross_validate(const std::string& data_dir, const gpu::GpuSpec& spec) {
  return fit_rows(read_rows(TableFiles::in(data_dir)), gpu_facts(spec, data_dir)).comparisons;
}

}  // namespace brink::calibrate
