// Memory-aware and SLA-constrained dynamic batching. Source: B. Pang, K. Li, F. Wang, "Optimizing LLM Inference
// Throughput via Memory-aware and SLA-constrained Dynamic Batching", arXiv:2503.05248 (2025).
#pragma once

#include <cstdint>
#include <vector>

#include "sim/policy/i_controller.h"

namespace brink::policy {

struct PangSettings {
  Seconds target = milliseconds(50);     // D_SLA, of the mean step
  Seconds tolerance = milliseconds(10);  // epsilon_D
  std::int64_t alpha = 20;               // width the search interval keeps at least, sequences
  std::int64_t delta = 5;                // step that reopens the interval, sequences
  std::int64_t min_seats = 1;            // B_min
  std::int64_t window_steps = 16;        // decode steps the means run over
  bool memory = true;                    // the memory-aware half
  double overflow = 0.05;                // epsilon_M: probability that the batch outgrows the KV cache
};

class PangController final : public IController {
 public:
  explicit PangController(const PangSettings& settings);

  void on_step(const ControlView& view, ControlLimits& limits) override;

 private:
  void observe(const ControlView& view);
  void learn_lengths(const ControlView& view);
  [[nodiscard]] std::int64_t seats_by_latency(const ControlView& view);
  [[nodiscard]] std::int64_t seats_by_memory(const ControlView& view) const;

  PangSettings settings_;
  double quantile_;                // theta: normal quantile of 1 - epsilon_M
  std::int64_t low_ = 0, high_ = 0;  // search interval; 0: not yet opened
  struct Observed {
    Seconds time;
    std::int64_t batch = 0;
  };
  std::vector<Observed> window_;   // ring of the latest decode steps
  std::size_t next_ = 0;
  Seconds time_sum_;
  std::int64_t batch_sum_ = 0;
  double requests_ = 0.0, tokens_ = 0.0, tokens_squared_ = 0.0;  // of ended requests, recent ones weigh more
};

}  // namespace brink::policy
