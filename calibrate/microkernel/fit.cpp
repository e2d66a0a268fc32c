#include "calibrate/microkernel/fit.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "calibrate/csv.h"
#include "calibrate/kernel_calibration.h"
#include "calibrate/microkernel/attention_rows.h"
#include "calibrate/microkernel/memory_groups.h"
#include "calibrate/microkernel/step_groups.h"
#include "calibrate/microkernel/tactics.h"
#include "models/base/error.h"
#include "models/base/sha256.h"
#include "models/cost/kernel_profile.h"

namespace brink::calibrate {
namespace {

// In the order they are written.
const std::vector<std::string> kSections{"elementwise", "collectives", "decode_attention", "prefill_attention", "gemm",
                                         "tactics", "memory", "launch", "contention", "drift"};
constexpr const char* kMethod =
    "laws by downhill simplex on mean |log error| and Gaussian-process surfaces (gemm, attention, collectives); curves by bounded "
    "least squares of log errors (memory, launch); tactics, bit classes, contention and drift as measured; see docs/calibration.md";
// A surface over coordinates needs a few of them; fewer points leave the section to the base.
constexpr std::size_t kAttentionMin = 12;

struct Fitted {
  Json sections = Json::object();
  MicrokernelFit result;

  void put(const std::string& name, Json section) { sections.set(name, std::move(section)); }
};

cost::GpuFacts facts_of(const gpu::GpuSpec& spec, const MicrokernelResults& results) {
  const ResultsHeader& header = results.header();
  if (spec.sms != header.sm_count)
    throw Error(fmt::format("{}: measured on '{}' with {} SMs; the description '{}' has {}: give the GPU's own with --gpu", results.path(), header.gpu,
                            header.sm_count, spec.name, spec.sms));
  return described_facts(spec);  // measure_facts() replaces what was measured
}

/// Data-sheet facts that a measurement replaces.
void measure_facts(cost::GpuFacts& facts, const cost::MemoryCurves& memory, const cost::Contention& contention) {
  if (const auto* copy = memory.stream("copy")) facts.hbm_copy = copy->rate;
  if (memory.l2) facts.l2_bandwidth = memory.l2->cache_rate;
  if (const auto* products = contention.under("matmul"); products != nullptr && products->flops)
    facts.sustained_bf16 = std::min(*products->flops, facts.peak_bf16);
}

bool too_few(std::size_t count, const std::string& what, std::vector<std::string>& notes) {
  if (count >= kAttentionMin) return false;
  if (count > 0) notes.push_back(fmt::format("{}: {} usable points; at least {} are needed", what, count, kAttentionMin));
  return true;
}

/// GEMM, attention and collectives: the laws and surfaces of every profile.
void fit_kernel_sections(Fitted& fitted, const MicrokernelResults& results, const cost::GpuFacts& facts, const cost::GemmTactics& tactics) {
  std::vector<std::string>& notes = fitted.result.notes;
  GemmTimes gemm = read_gemm_times(tactics);
  AttentionTimes attention = read_attention_times(results);
  KernelRows rows;
  std::set<std::pair<std::int64_t, std::int64_t>> shapes;
  for (const GemmRow& row : gemm.rows) shapes.insert({row.n, row.k});
  if (shapes.size() >= 2 * kFolds) rows.gemm = std::move(gemm.rows);
  else if (!shapes.empty()) notes.push_back(fmt::format("gemm: {} shapes; at least {} are needed", shapes.size(), 2 * kFolds));
  if (!too_few(attention.decode.size(), "decode attention", notes)) rows.decode = std::move(attention.decode);
  if (!too_few(attention.prefill.size(), "prefill attention", notes)) rows.prefill = std::move(attention.prefill);
  rows.collectives = read_collectives(results);
  FittedSections sections = fit_rows(rows, facts);
  // Rows that stand for products nobody measured are not evidence.
  const std::set<std::string> continued(gemm.continued.begin(), gemm.continued.end());
  if (!continued.empty()) notes.push_back(fmt::format("gemm: {} products too large to measure follow the last measured row count in proportion", continued.size()));
  for (ValidationRow& row : sections.comparisons)
    if (continued.count(row.id) == 0) fitted.result.comparisons.push_back(std::move(row));
  for (auto& [name, section] : sections.sections.members())
    if (!section.items().empty() || !section.members().empty()) fitted.put(name, std::move(section));
}

void fit_other_sections(Fitted& fitted, const MicrokernelResults& results, const cost::GpuFacts& facts, const cost::MemoryCurves& memory,
                        const cost::Contention& contention, const cost::GemmTactics& tactics) {
  const auto measured = [&](std::initializer_list<const char*> groups) {
    return std::any_of(groups.begin(), groups.end(), [&](const char* group) { return !results.group(group).empty(); });
  };
  if (const auto elementwise = fit_elementwise(results, facts)) fitted.put("elementwise", elementwise->to_json());
  if (!tactics.names.empty() || !tactics.norms.empty() || !tactics.attention.empty()) fitted.put("tactics", tactics.to_json());
  if (measured({"hbm", "l2", "tlb", "host_link"})) fitted.put("memory", memory.to_json());
  if (measured({"launch"})) fitted.put("launch", fit_launch(results, fitted.result.comparisons).to_json());
  if (measured({"overlap"})) fitted.put("contention", contention.to_json());
  if (const auto drift = read_drift(results)) fitted.put("drift", drift->to_json());
}

Json source_of(const MicrokernelResults& results, const MicrokernelFit& fit, const Json& base) {
  Json source = Json::object();
  source.set("tool", "brink-calibrate fit-kernels 0.1.0");
  source.set("method", kMethod);
  source.set("hold_out", "five folds of 20 %: whole (n, k) shapes, whole head combinations, points of a curve, message sizes one at a time");
  Json& file = source.set("results", Json::object());
  file.set("name", std::filesystem::path(results.path()).filename().string());
  file.set("sha256", sha256_of_file(results.path()));
  file.set("points", static_cast<std::int64_t>(results.points()));
  Json& machine = source.set("machine", Json::object());
  for (const auto& [name, value] : results.header().document.members())
    if (name != "kind" && name != "argv") machine.set(name, value);  // a command line names folders of that machine
  source.set("measured_sections", Json::array_of(fit.measured));
  if (!fit.carried.empty()) {
    source.set("carried_sections", Json::array_of(fit.carried));
    if (const Json* from = base.find("source")) source.set("carried_from", *from);
  }
  source.set("notes", Json::array_of(fit.notes));
  return source;
}

void check_keep(const Json& base, const std::vector<std::string>& keep) {
  std::vector<std::string> there;
  for (const std::string& name : kSections)
    if (base.is_object() && base.find(name) != nullptr) there.push_back(name);
  for (const std::string& name : keep)
    if (std::find(there.begin(), there.end(), name) == there.end())
      throw Error(fmt::format("--keep: got '{}'; {}", name, there.empty() ? "a section of the base profile, which has none (give --base)" : allowed_names(name, there)));
}

void assemble(Fitted& fitted, const MicrokernelResults& results, const cost::GpuFacts& facts, const Json& base, const std::vector<std::string>& keep) {
  MicrokernelFit& result = fitted.result;
  Json sections = Json::object();
  for (const std::string& name : kSections) {
    Json* own = fitted.sections.find(name);
    const Json* older = base.is_object() ? base.find(name) : nullptr;
    const bool kept = std::find(keep.begin(), keep.end(), name) != keep.end();
    if (own != nullptr && !kept) {
      result.measured.push_back(name);
      sections.set(name, std::move(*own));
    } else if (older != nullptr) {
      result.carried.push_back(name);
      sections.set(name, *older);
    }
  }
  for (const char* name : {"elementwise", "collectives", "decode_attention", "prefill_attention", "gemm"}) {
    if (sections.find(name) != nullptr) continue;
    if (std::string(name) == "collectives") sections.set(name, Json::array());  // a single GPU has none
    else throw Error(fmt::format("{}: no section '{}': measure its group, or give --base with a profile that has it", results.path(), name));
  }
  Json& profile = result.profile = Json::object();
  profile.set("schema_version", 1);
  profile.set("source", source_of(results, result, base));
  profile.set("gpu", facts.to_json());
  profile.set("residuals", to_json(summarise(result.comparisons)));
  for (const char* name : {"host", "in_situ"})
    if (const Json* older = base.is_object() ? base.find(name) : nullptr) profile.set(name, *older);
  for (auto& [name, section] : sections.members()) profile.set(name, std::move(section));
}

}  // namespace

MicrokernelFit fit_microkernels(const MicrokernelResults& results, const gpu::GpuSpec& spec, const Json& base, const std::vector<std::string>& keep) {
  check_keep(base, keep);
  Fitted fitted;
  fitted.result.notes = results.notes();
  cost::GpuFacts facts = facts_of(spec, results);
  const cost::MemoryCurves memory = fit_memory(results, facts, spec.pcie_each_way, fitted.result.comparisons, fitted.result.notes);
  const cost::Contention contention = read_contention(results);
  const cost::GemmTactics tactics = read_tactics(results);
  measure_facts(facts, memory, contention);
  fit_kernel_sections(fitted, results, facts, tactics);
  fit_other_sections(fitted, results, facts, memory, contention, tactics);
  assemble(fitted, results, facts, base, keep);
  (void)cost::KernelProfile::from_json(fitted.result.profile);  // what is written can be read
  return std::move(fitted.result);
}

}  // namespace brink::calibrate
