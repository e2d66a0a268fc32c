#include <array>
#include <cassert>

#include "sim/policy/i_shaper.h"

namespace brink::policy {

namespace {

struct Entry {
  const char* name;
  ShaperMaker (*read)(ObjectReader& in, Json& resolved);
};

// The first one is the default. Adding a shaper: its file, one line here, one test.
constexpr std::array table = {
    Entry{"none", read_no_shaping},
    Entry{"latency_guard", read_latency_guard},
};

}  // namespace

std::vector<std::string> shaper_names() {
  std::vector<std::string> names;
  for (const Entry& e : table) names.emplace_back(e.name);
  return names;
}

ShaperMaker read_shaper(const std::string& name, ObjectReader& in, Json& resolved) {
  for (const Entry& e : table) {
    if (name == e.name) return e.read(in, resolved);
  }
  assert(false && "shaper names are checked where the scenario is read");
  return {};
}

}  // namespace brink::policy
