// The engine's own limits, always: vLLM has no latency-aware admission by default.
#include "sim/policy/i_controller.h"

namespace brink::policy {

namespace {

class NoControl final : public IController {
 public:
  void on_step(const ControlView& view, ControlLimits& limits) override { limits = engine_limits(view); }
};

}  // namespace

ControllerMaker read_no_control(ObjectReader&, Json&) {
  return [] { return std::make_unique<NoControl>(); };
}

}  // namespace brink::policy
