#include <array>
#include <cassert>

#include "sim/policy/i_controller.h"

namespace brink::policy {

namespace {

struct Entry {
  const char* name;
  ControllerMaker (*read)(ObjectReader& in, Json& resolved);
};

// The first one is the default. Adding a controller: its file, one line here, one test.
constexpr std::array table = {
    Entry{"none", read_no_control},
    Entry{"pang", read_pang_controller},
    Entry{"aimd", read_aimd_controller},
};

}  // namespace

std::vector<std::string> controller_names() {
  std::vector<std::string> names;
  for (const Entry& e : table) names.emplace_back(e.name);
  return names;
}

ControllerMaker read_controller(const std::string& name, ObjectReader& in, Json& resolved) {
  for (const Entry& e : table) {
    if (name == e.name) return e.read(in, resolved);
  }
  assert(false && "controller names are checked where the scenario is read");
  return {};
}

}  // namespace brink::policy
