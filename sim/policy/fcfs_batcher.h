// vLLM V1's scheduler: running requests first, then waiting ones in order of arrival while
// token budget, seats and KV blocks last. Source: vLLM v1/core/sched/scheduler.py.
#pragma once

#include "sim/policy/i_batcher.h"

namespace brink::policy {

class FcfsBatcher final : public IBatcher {
 public:
  void plan(const BatchView& view, BatchDecision& decision) const override;
};

}  // namespace brink::policy
