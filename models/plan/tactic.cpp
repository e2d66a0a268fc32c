#include "models/plan/tactic.h"

#include <array>

namespace brink::plan {

const char* name(Precision precision) {
  constexpr std::array names = {"fp32", "tf32", "bf16", "fp16", "fp8", "int8", "w4a16"};
  return names[static_cast<std::size_t>(precision)];
}

const char* name(Fallback fallback) {
  constexpr std::array names = {"none",         "workspace",       "alignment", "quantised_shape", "uncaptured",
                                "nvls_buffers", "batch_invariant", "isolation", "hypothesis"};
  return names[static_cast<std::size_t>(fallback)];
}

TacticId TacticNames::intern(std::string_view name) {
  const auto known = ids_.find(name);
  if (known != ids_.end()) return known->second;
  const auto id = static_cast<TacticId>(names_.size());
  names_.emplace_back(name);
  ids_.emplace(names_.back(), id);
  return id;
}

}  // namespace brink::plan
