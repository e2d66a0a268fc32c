// Two replicas at random, the less loaded of them (Mitzenmacher 2001): almost as good as the
// least loaded of all while looking at two.
#include "sim/policy/i_router.h"

namespace brink::policy {

namespace {

class PowerOfTwo final : public IRouter {
 public:
  explicit PowerOfTwo(std::uint64_t seed) : stream_(seed, "routing/power_of_two") {}

  std::size_t route(const RoutedRequest& request, std::span<const ReplicaView> replicas) override {
    const std::size_t n = replicas.size();
    if (n == 1) return 0;
    const StreamKey key{request.id.value};
    const std::size_t first = stream_.below(n, key, 0);
    // The second one of the others, each as likely.
    const std::size_t second = (first + 1 + stream_.below(n - 1, key, 1)) % n;
    return load(replicas[second]) < load(replicas[first]) ? second : first;
  }

 private:
  static std::int64_t load(const ReplicaView& r) { return r.waiting + r.running; }

  RandomStream stream_;
};

}  // namespace

std::unique_ptr<IRouter> make_power_of_two(std::uint64_t seed) { return std::make_unique<PowerOfTwo>(seed); }

}  // namespace brink::policy
