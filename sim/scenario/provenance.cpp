#include "sim/scenario/provenance.h"

#include "sim/scenario/build_facts.h"
#include "sim/world/simgrid_api.h"

namespace brink::scenario {

std::string program_version() { return BRINK_VERSION; }
std::string program_revision() { return BRINK_REVISION; }

Json provenance(const Scenario& scenario) {
  Json out = Json::object();
  Json& program = out.set("brink", Json::object());
  program.set("version", program_version());
  program.set("revision", program_revision());
  program.set("compiler", BRINK_COMPILER);
  Json& simgrid = out.set("simgrid", Json::object());
  simgrid.set("version", BRINK_SIMGRID_VERSION);
  Json& settings = simgrid.set("settings", Json::object());
  for (const auto& [name, value] : world::simgrid_api::pinned_settings()) settings.set(name, value);
  out.set("seed", scenario.seed);
  Json& inputs = out.set("inputs_sha256", Json::object());
  for (const InputDigest& digest : scenario.inputs.digests) inputs.set(digest.role, digest.sha256);
  out.set("profile", canonical(scenario.inputs.profile->source()));
  return out;
}

}  // namespace brink::scenario
