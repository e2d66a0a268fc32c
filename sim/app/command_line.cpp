#include "sim/app/command_line.h"

#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "sim/app/failure.h"
#include "sim/app/headline.h"
#include "sim/app/inspect.h"
#include "sim/app/inspect_fabric.h"
#include "sim/app/run_request.h"
#include "sim/app/serve.h"
#include "sim/app/terminal_progress.h"
#include "sim/scenario/provenance.h"
#include "sim/scenario/simulation.h"

namespace brink::app {

namespace {

struct Options {
  std::string scenario;
  std::vector<std::string> settings;
  std::string seed;
  std::string out;
  bool as_json = false;
  bool topology = false;
};

/// The scenario with its settings; a seed is the last of them, so the checked reader judges it.
scenario::Scenario load(const Options& options) {
  std::vector<std::string> settings = options.settings;
  if (!options.seed.empty()) settings.push_back("/seed=" + options.seed);
  return scenario::load_scenario(options.scenario, settings, std::nullopt);
}

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void run(const Options& options) {
  if (!options.out.empty()) check_result_folder(options.out);
  const scenario::Scenario scenario = load(options);
  const std::string out = options.out.empty() ? "out/" + scenario.name : options.out;
  check_result_folder(out);
  scenario::RunOutcome outcome;
  {
    const TerminalProgress progress;
    outcome = scenario::run_scenario(scenario, progress.sink());
  }
  telemetry::write_results(out, outcome.files);
  print(headline(outcome, out));
}

// A scenario file, or a cluster file alone.
void inspect_file(const Options& options) {
  Json facts;
  std::string text;
  if (is_cluster_file(load_json(options.scenario))) {
    const fabric::Cluster cluster = load_inspected_cluster(options.scenario, options.settings);
    facts = inspect_cluster(cluster);
    text = cluster.name + "\n" + fabric_text(facts);
    if (options.topology) add_topology(facts, cluster);
  } else {
    const scenario::Scenario scenario = load(options);
    facts = inspect(scenario);
    text = inspect_text(facts);
    if (options.topology) add_topology(facts, scenario.inputs.cluster);
  }
  print(options.as_json ? facts.dump(2) + "\n" : text);
}

void add_scenario_options(CLI::App& command, Options& options) {
  command.add_option("scenario", options.scenario, "Scenario file (JSON)")->required();
  command.add_option("--set", options.settings, "Set a field: /engine/max_num_seqs=128 (repeatable)")
      ->allow_extra_args(false)
      ->take_all();
  command.add_option("--seed", options.seed, "In place of the scenario's seed");
}

int report(const std::string& message, int status) {
  fmt::print(stderr, "error: {}\n", message);
  return status;
}

}  // namespace

int command_line(int argc, char** argv) {
  CLI::App cli("Simulates LLM serving clusters.", "brink-sim");
  Options options;
  bool server = false;
  cli.add_flag("--serve", server, "Run server on standard input and output, for programs");
  cli.set_version_flag("--version", "brink-sim " + scenario::program_version() + " (" + scenario::program_revision() + ")");
  CLI::App* run_command = cli.add_subcommand("run", "Simulate a scenario and write its results");
  add_scenario_options(*run_command, options);
  run_command->add_option("-o,--out", options.out, "Result folder (default: out/<name of the scenario>)");
  CLI::App* inspect_command = cli.add_subcommand("inspect", "Layout, memory, step times and fabric of a scenario, or of a cluster file");
  add_scenario_options(*inspect_command, options);
  inspect_command->add_flag("--json", options.as_json, "Print the facts as JSON");
  inspect_command->add_flag("--topology", options.topology, "With --json: every device and link, too");
  cli.require_subcommand(0, 1);
  try {
    cli.parse(argc, argv);
    if (server) return serve(STDIN_FILENO, STDOUT_FILENO);
    if (run_command->parsed()) run(options);
    else if (inspect_command->parsed()) inspect_file(options);
    else print(cli.help());
    return 0;
  } catch (const CLI::Success& done) {
    return cli.exit(done);
  } catch (const CLI::ParseError& error) {
    return report(std::string(error.what()) + "; brink-sim --help lists what there is", 2);
  } catch (const std::exception& error) {
    return report(error.what(), exit_status_of(error));
  }
}

}  // namespace brink::app
