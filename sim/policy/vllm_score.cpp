// vLLM's data-parallel load balancer: the least 4 * waiting + running; ties go to the first.
// Source: vLLM v1/engine/core_client.py, DPLBAsyncMPClient.
#include "sim/policy/i_router.h"

namespace brink::policy {

namespace {

class VllmScore final : public IRouter {
 public:
  std::size_t route(const RoutedRequest&, std::span<const ReplicaView> replicas) override {
    std::size_t best = 0;
    for (std::size_t i = 1; i < replicas.size(); ++i) {
      if (score(replicas[i]) < score(replicas[best])) best = i;
    }
    return best;
  }

 private:
  // A waiting request delays a new one by a whole prefill, a running one by its share of a step.
  static std::int64_t score(const ReplicaView& r) { return 4 * r.waiting + r.running; }
};

}  // namespace

std::unique_ptr<IRouter> make_vllm_score(std::uint64_t) { return std::make_unique<VllmScore>(); }

}  // namespace brink::policy
