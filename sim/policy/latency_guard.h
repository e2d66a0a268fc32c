// Load-aware truncation: under load, prompts are cut to a cap and answers may be capped, until the load is gone.
#pragma once

#include <cstdint>
#include <optional>

#include "sim/policy/i_shaper.h"

namespace brink::policy {

/// Which tokens of a prompt that is too long are kept.
enum class Keep : std::uint8_t {
  last,   // as vLLM's truncate_prompt_tokens does (vLLM, sampling parameters)
  first,
  ends,   // a head (instructions) and the last ones
};

struct LatencyGuardSettings {
  // It engages when any of these is exceeded; absent: not looked at.
  std::optional<Seconds> queue_p95;
  std::optional<Seconds> step_time;
  std::optional<double> waiting_per_replica;
  double release_ratio = 0.5;  // it lets go when each is at most this share of its threshold
  std::optional<std::int64_t> input_tokens_max, output_tokens_max;
  Keep keep = Keep::last;
  std::int64_t head_tokens = 0;  // with Keep::ends
};

class LatencyGuard final : public IShaper {
 public:
  explicit LatencyGuard(const LatencyGuardSettings& settings) : settings_(settings) {}

  ShapedRequest shape(const RawRequest& request, const ShapingLoad& load) override;

  [[nodiscard]] bool engaged() const { return engaged_; }

 private:
  /// Whether a signal exceeds `share` of its threshold.
  [[nodiscard]] bool exceeds(const ShapingLoad& load, double share) const;

  LatencyGuardSettings settings_;
  bool engaged_ = false;
};

}  // namespace brink::policy
