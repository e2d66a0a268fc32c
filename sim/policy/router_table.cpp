#include <array>
#include <cassert>

#include "sim/policy/i_router.h"

namespace brink::policy {

namespace {

struct Entry {
  const char* name;
  std::unique_ptr<IRouter> (*make)(std::uint64_t seed);
};

// The first one is the default. Adding a router: its file, one line here, one test.
constexpr std::array table = {
    Entry{"round_robin", make_round_robin},
    Entry{"vllm_score", make_vllm_score},
    Entry{"power_of_two", make_power_of_two},
};

}  // namespace

std::vector<std::string> router_names() {
  std::vector<std::string> names;
  for (const Entry& e : table) names.emplace_back(e.name);
  return names;
}

std::unique_ptr<IRouter> make_router(const std::string& name, std::uint64_t seed) {
  for (const Entry& e : table) {
    if (name == e.name) return e.make(seed);
  }
  assert(false && "router names are checked where the scenario is read");
  return nullptr;
}

}  // namespace brink::policy
