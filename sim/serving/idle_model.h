// Latencies of a request on an idle system: nobody before it, nobody beside it, nothing goes wrong. What the
// latencies under load are compared with.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/cost/i_step_cost.h"
#include "sim/serving/engine_config.h"
#include "sim/serving/front_end.h"

namespace brink::serving {

struct IdleLatencies {
  Seconds ttft, e2e;
};

class IdleModel {
 public:
  IdleModel(std::shared_ptr<cost::IStepCost> cost, const EngineConfig& config, const FrontEnd& front_end)
      : cost_(std::move(cost)), config_(config), front_end_(front_end) {}

  /// `cached` leading prompt tokens are found in the KV cache. O(chunks) plus, once, the longest context.
  [[nodiscard]] IdleLatencies of(std::int64_t input_tokens, std::int64_t cached, std::int64_t output_tokens);

 private:
  /// Time from one token to the next in a step of `gpu` with this host work.
  [[nodiscard]] Seconds interval(const cost::StepTime& time) const;
  /// Sum of the intervals of decode steps that read 1, 2, ... `context` tokens.
  Seconds decode_sum(std::int64_t context);

  std::shared_ptr<cost::IStepCost> cost_;
  EngineConfig config_;
  FrontEnd front_end_;
  std::vector<Seconds> sums_{Seconds(0.0)};  // by context
};

}  // namespace brink::serving
