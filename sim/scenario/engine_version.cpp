#include "sim/scenario/engine_version.h"

#include <array>
#include <charconv>

namespace brink::scenario {

namespace {

constexpr const char* allowed = "allowed: a release number such as \"0.15\" or \"0.15.1\"";

}  // namespace

EngineVersion parse_engine_version(const std::string& text, const std::string& pointer) {
  const ConfigError wrong(pointer, "the string \"" + text + "\"", allowed);
  std::array<unsigned, 3> parts{};
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  std::size_t count = 0;
  while (count < parts.size()) {
    unsigned& part = parts.at(count++);
    const auto [next, status] = std::from_chars(at, end, part);
    if (status != std::errc() || next == at || part > 9999) throw wrong;
    at = next;
    if (at == end) break;
    if (*at++ != '.') throw wrong;
  }
  if (at != end || count < 2 || text.back() == '.') throw wrong;
  return {parts[0], parts[1], parts[2]};
}

}  // namespace brink::scenario
