#include "sim/scenario/make_conditions.h"

#include <utility>

#include "sim/conditions/step_conditions.h"

namespace brink::scenario {

namespace {

using conditions::StepConditions;

/// Sorts a condition's settings to the part that plays it; kinds that act on something else than ranks are left out.
struct Parts {
  const Condition* of = nullptr;
  std::uint64_t seed = 0;
  std::vector<StepConditions::RankPart> ranks;
  std::vector<StepConditions::JitterPart> jitter;

  [[nodiscard]] RandomStream stream() const { return {seed, "condition: " + of->name}; }
  template <class T, class... More>
  void add(More&&... more) { ranks.push_back({of->index, std::make_shared<T>(std::forward<More>(more)...)}); }

  void operator()(const conditions::RankSlowdownSettings& s) { add<conditions::RankSlowdown>(s); }
  void operator()(const conditions::StallSettings& s) { add<conditions::Stall>(s); }
  void operator()(const conditions::ThrottleSettings& s) { add<conditions::Throttle>(s); }
  void operator()(const conditions::GpuSpreadSettings& s) { add<conditions::GpuSpread>(s, stream()); }
  void operator()(const conditions::JitterSettings& s) { jitter.push_back({of->index, s, stream()}); }
  template <class Other>
  void operator()(const Other&) {}
};

}  // namespace

std::unique_ptr<serving::IStepConditions> make_step_conditions(const std::vector<Condition>& conditions,
                                                               const Hypotheses& hypotheses, std::uint64_t seed,
                                                               std::int64_t ranks, world::ILedger& ledger) {
  Parts parts;
  parts.seed = seed;
  for (const Condition& condition : conditions) {
    parts.of = &condition;
    std::visit(parts, condition.settings);
  }
  // The timing hypotheses only make what is late later.
  if (parts.ranks.empty() && parts.jitter.empty()) return nullptr;
  return std::make_unique<StepConditions>(ranks, std::move(parts.ranks), std::move(parts.jitter), hypotheses.timing, ledger);
}

}  // namespace brink::scenario
