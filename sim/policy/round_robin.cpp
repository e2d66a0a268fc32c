// Replicas in turn, whatever their load.
#include "sim/policy/i_router.h"

namespace brink::policy {

namespace {

class RoundRobin final : public IRouter {
 public:
  std::size_t route(const RoutedRequest&, std::span<const ReplicaView> replicas) override {
    return next_++ % replicas.size();
  }

 private:
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<IRouter> make_round_robin(std::uint64_t) { return std::make_unique<RoundRobin>(); }

}  // namespace brink::policy
