// brink-calibrate: measurement tables -> kernel profile, with its errors.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "calibrate/kernel_calibration.h"
#include "calibrate/microkernel/diff.h"
#include "calibrate/microkernel/fit.h"
#include "calibrate/microkernel/report.h"
#include "models/base/error.h"
#include "models/base/json.h"
#include "models/cost/kernel_profile.h"
#include "models/gpu/gpu_spec.h"

namespace {

using brink::Error;
using brink::Json;

/// Writes beside the target and renames, so that a failure leaves the old file.
void write_file(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".tmp";
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out << text;
    if (!out.flush()) throw Error("cannot write " + temporary + ": check that the folder exists and has space");
  }
  std::filesystem::rename(temporary, path);
}

void print_errors(const std::vector<brink::calibrate::GroupError>& errors) {
  fmt::print("{:<34} {:>9} {:>7} {:>8} {:>8} {:>8}\n", "group", "", "rows", "MAPE %", "p95 %", "worst %");
  for (const auto& e : errors)
    fmt::print("{:<34} {:>9} {:>7} {:>8.2f} {:>8.2f} {:>8.1f}\n", e.group, e.held_out ? "held out" : "in sample", e.count, 100 * e.mape, 100 * e.p95, 100 * e.worst);
}

void run_fit(const std::string& data, const std::string& gpu, const std::string& output) {
  const Json old = std::filesystem::exists(output) ? brink::load_json(output) : Json::object();
  const Json* host = old.find("host");
  Json profile = brink::calibrate::fit_kernels(data, brink::gpu::load_gpu(gpu), host != nullptr ? *host : Json());
  // Fitted on serving runs, like `host`: kernel tables say nothing about either.
  if (const Json* in_situ = old.find("in_situ")) profile.set("in_situ", *in_situ);
  (void)brink::cost::KernelProfile::from_json(profile);  // what is written can be read
  write_file(output, profile.dump(1) + "\n");
  fmt::print("wrote {}\n", output);
}

void run_validate(const std::string& data, const std::string& gpu, const std::string& json) {
  const auto rows = brink::calibrate::cross_validate(data, brink::gpu::load_gpu(gpu));
  if (!json.empty()) write_file(json, brink::calibrate::to_json(rows).dump(0) + "\n");
  print_errors(brink::calibrate::summarise(rows));
}

struct MicrokernelOptions {
  std::string results, gpu, base, output, report;
  std::vector<std::string> keep;
};

void run_fit_kernels(const MicrokernelOptions& options) {
  // Without --base an existing output is the base: its other sections stay.
  const std::string base = !options.base.empty() ? options.base : std::filesystem::exists(options.output) ? options.output : std::string();
  const auto results = brink::calibrate::MicrokernelResults::read(options.results);
  const auto fit = brink::calibrate::fit_microkernels(results, brink::gpu::load_gpu(options.gpu), base.empty() ? Json() : brink::load_json(base), options.keep);
  write_file(options.output, fit.profile.dump(1) + "\n");
  const std::string text = brink::calibrate::report_text(fit);
  if (!options.report.empty()) write_file(options.report, options.report.ends_with(".json") ? brink::calibrate::report_json(fit).dump(1) + "\n" : text);
  fmt::print("{}\nwrote {}\n", text, options.output);
}

void run_diff(const std::string& before, const std::string& after, bool json) {
  const auto changes = brink::calibrate::diff_profiles(brink::load_json(before), brink::load_json(after));
  fmt::print("{}", json ? brink::calibrate::to_json(changes).dump(1) + "\n" : brink::calibrate::to_text(changes));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Fits kernel times to measurement tables and says how well", "brink-calibrate"};
  app.require_subcommand(1);
  std::string data, gpu = "configs/gpus/h100_sxm.json", output, json;
  CLI::App* fit = app.add_subcommand("fit", "Fit a kernel profile; an existing profile keeps its in_situ and host sections");
  fit->add_option("--data", data, "Folder with kernels/, collectives/ and facts/")->required();
  fit->add_option("--gpu", gpu, "GPU description")->capture_default_str();
  fit->add_option("-o,--output", output, "Profile to write")->required();
  CLI::App* validate = app.add_subcommand("validate", "Cross-validate the fit, in sample and held out");
  validate->add_option("--data", data, "Folder with kernels/, collectives/ and facts/")->required();
  validate->add_option("--gpu", gpu, "GPU description")->capture_default_str();
  validate->add_option("--json", json, "Also write every comparison as a list of {group, id, metric, measured, predicted, held_out}");
  MicrokernelOptions kernels;
  kernels.gpu = gpu;
  CLI::App* fit_kernels = app.add_subcommand("fit-kernels", "Fit a profile to the results of the microkernels");
  fit_kernels->add_option("results", kernels.results, "JSON Lines of brink-kernels, .gz too")->required();
  fit_kernels->add_option("--gpu", kernels.gpu, "GPU description")->capture_default_str();
  fit_kernels->add_option("--base", kernels.base, "Profile for what was not measured; by default the output, when it exists");
  fit_kernels->add_option("--keep", kernels.keep, "Section to take from the base although it was measured");
  fit_kernels->add_option("-o,--output", kernels.output, "Profile to write")->required();
  fit_kernels->add_option("--report", kernels.report, "Also write the fit report: .json for programs, else text");
  std::string before, after;
  bool as_json = false;
  CLI::App* diff = app.add_subcommand("diff", "What changed between two profiles, by group");
  diff->add_option("before", before, "Profile")->required();
  diff->add_option("after", after, "Profile")->required();
  diff->add_flag("--json", as_json, "As a list of {group, what, before, after, change, worst, note}");
  CLI11_PARSE(app, argc, argv);
  try {
    if (fit->parsed()) run_fit(data, gpu, output);
    if (validate->parsed()) run_validate(data, gpu, json);
    if (fit_kernels->parsed()) run_fit_kernels(kernels);
    if (diff->parsed()) run_diff(before, after, as_json);
  } catch (const std::exception& error) {
    fmt::print(stderr, "brink-calibrate: {}\n", error.what());
    return 1;
  }
  return 0;
}
