#include "calibrate/microkernel/report.h"

#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace brink::calibrate {
namespace {

const FitBar* bar_of(const GroupError& error) {
  // A bar is a promise about the unseen; in-sample errors carry none, and shapes far below a layer's are law alone.
  if (!error.held_out || error.group.ends_with("_small")) return nullptr;
  for (const FitBar& bar : fit_bars())
    if (error.group.starts_with(bar.prefix)) return &bar;
  return nullptr;
}

/// Numbers and short strings below a section, as "path value" lines; long arrays are counted.
void list_parameters(const Json& json, const std::string& path, std::vector<std::pair<std::string, std::string>>& out) {
  if (json.is_number()) {
    out.emplace_back(path, fmt::format("{:.6g}", json.as_double()));
  } else if (json.is_string()) {
    out.emplace_back(path, json.as_string());
  } else if (json.is_null()) {
    out.emplace_back(path, "none");
  } else if (json.is_object()) {
    for (const auto& [name, value] : json.members()) list_parameters(value, path.empty() ? name : path + "." + name, out);
  } else if (json.is_array()) {
    const bool objects = !json.items().empty() && json.items().front().is_object();
    if (!objects) {
      out.emplace_back(path, json.items().size() <= 2 ? json.dump() : fmt::format("{} entries", json.items().size()));
      return;
    }
    std::size_t at = 0;
    for (const Json& item : json.items()) {
      const Json* name = item.find("name") != nullptr ? item.find("name") : item.find("copy") != nullptr ? item.find("copy") : item.find("load");
      list_parameters(item, fmt::format("{}[{}]", path, name != nullptr && name->is_string() ? name->as_string() : std::to_string(at)), out);
      ++at;
    }
  }
}

/// Sections whose numbers mean something one by one.
const std::vector<std::string>& readable_sections() {
  static const std::vector<std::string> names{"gpu", "elementwise", "memory", "launch", "contention", "drift"};
  return names;
}

std::string tactics_line(const Json& tactics) {
  const Json* names = tactics.find("names");
  const Json* tables = tactics.find("gemm");
  std::size_t with_bits = 0, varying = 0;
  if (tables == nullptr || names == nullptr) return "";
  for (const Json& table : tables->items()) {
    const Json* bits = table.find("bit_classes");
    if (bits == nullptr || bits->items().empty()) continue;
    ++with_bits;
    if (bits->items().size() > 1) ++varying;
  }
  return fmt::format("{} tactics in {} tables of shape and workspace; {} have a bit map, in {} of them the bits change with m", names->items().size(),
                     tables->items().size(), with_bits, varying);
}

std::string joined(const std::vector<std::string>& parts) {
  return parts.empty() ? "none" : fmt::format("{}", fmt::join(parts, ", "));
}

std::string machine_line(const Json& profile) {
  const Json* machine = at_pointer(profile, "/source/machine");
  const auto text = [&](const char* key) {
    const Json* value = machine != nullptr ? machine->find(key) : nullptr;
    return value == nullptr ? std::string("?") : value->is_string() ? value->as_string() : value->dump();
  };
  return fmt::format("{} ({} SMs), driver {}, CUDA {}, cublasLt {}", text("gpu"), text("sm_count"), text("driver"), text("cuda_runtime"), text("cublaslt"));
}

}  // namespace

const std::vector<FitBar>& fit_bars() {
  static const std::vector<FitBar> bars{{"gemm_", 0.05}, {"attention_", 0.06}, {"hbm_", 0.05}, {"l2_", 0.05}, {"tlb_", 0.05}};
  return bars;
}

Json report_json(const MicrokernelFit& fit) {
  Json report = Json::object();
  report.set("schema_version", 1);
  if (const Json* machine = at_pointer(fit.profile, "/source/machine")) report.set("machine", *machine);
  report.set("measured_sections", Json::array_of(fit.measured));
  report.set("carried_sections", Json::array_of(fit.carried));
  Json groups = to_json(summarise(fit.comparisons));
  const std::vector<GroupError> errors = summarise(fit.comparisons);
  for (std::size_t i = 0; i < errors.size(); ++i) {
    const FitBar* bar = bar_of(errors[i]);
    if (bar == nullptr) continue;
    groups.items()[i].set("bar", bar->mape);
    groups.items()[i].set("met", errors[i].mape <= bar->mape);
  }
  report.set("groups", std::move(groups));
  Json& parameters = report.set("parameters", Json::object());
  for (const std::string& name : readable_sections())
    if (const Json* section = fit.profile.find(name)) parameters.set(name, *section);
  report.set("notes", Json::array_of(fit.notes));
  return report;
}

std::string report_text(const MicrokernelFit& fit) {
  std::string text = fmt::format("Kernel profile of {}\n\nmeasured: {}\ncarried over: {}\n", machine_line(fit.profile), joined(fit.measured), joined(fit.carried));
  text += fmt::format("\n{:<32} {:>9} {:>6} {:>8} {:>8} {:>8} {:>7}\n", "errors of group", "", "points", "MAPE %", "p95 %", "worst %", "bar %");
  for (const GroupError& error : summarise(fit.comparisons)) {
    const FitBar* bar = bar_of(error);
    const std::string verdict = bar == nullptr ? "" : fmt::format("{:.0f} {}", 100 * bar->mape, error.mape <= bar->mape ? "met" : "MISSED");
    text += fmt::format("{:<32} {:>9} {:>6} {:>8.2f} {:>8.2f} {:>8.1f}  {}\n", error.group, error.held_out ? "held out" : "in sample", error.count,
                        100 * error.mape, 100 * error.p95, 100 * error.worst, verdict);
  }
  if (const Json* tactics = fit.profile.find("tactics")) text += fmt::format("\ntactics: {}\n", tactics_line(*tactics));
  for (const std::string& name : readable_sections()) {
    const Json* section = fit.profile.find(name);
    if (section == nullptr) continue;
    text += fmt::format("\n{}\n", name);
    std::vector<std::pair<std::string, std::string>> lines;
    list_parameters(*section, "", lines);
    for (const auto& [path, value] : lines) text += fmt::format("  {:<48} {}\n", path, value);
  }
  if (!fit.notes.empty()) text += "\nnotes\n";
  for (const std::string& note : fit.notes) text += "  " + note + "\n";
  return text;
}

}  // namespace brink::calibrate
