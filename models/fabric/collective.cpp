#include "models/fabric/collective.h"

#include <array>
#include <bit>

namespace brink::fabric {

std::string name(CollectiveOp op) {
  constexpr std::array names = {"all_reduce", "all_gather", "reduce_scatter", "all_to_all", "send_recv"};
  return names.at(static_cast<std::size_t>(op));
}

std::string name(CollectiveAlgorithm algorithm) {
  constexpr std::array names = {"Ring", "Tree", "NVLS", "NVLSTree", "one_shot", "two_shot", "direct", "hierarchical"};
  return names.at(static_cast<std::size_t>(algorithm));
}

std::string name(CollectiveProtocol protocol) {
  constexpr std::array names = {"LL", "LL128", "Simple"};
  return names.at(static_cast<std::size_t>(protocol));
}

bool supports(CollectiveOp op, CollectiveAlgorithm algorithm, const RankLayout& layout) {
  using enum CollectiveAlgorithm;
  if (layout.ranks() < 2) return false;
  const bool reduces = op == CollectiveOp::all_reduce;
  const bool halves = op == CollectiveOp::all_gather || op == CollectiveOp::reduce_scatter;
  switch (algorithm) {
    case ring: return reduces || halves;
    case tree: return reduces;
    case nvls: return (reduces || halves) && layout.nodes == 1 && layout.gpus_per_node > 2;
    case nvls_tree: return reduces && layout.nodes > 1 && layout.gpus_per_node > 2;
    case one_shot:
    case two_shot: return reduces;
    case direct: return !reduces;
    case hierarchical: return (reduces || halves) && layout.nodes > 1;
  }
  return false;
}

std::int64_t floor_log2(std::int64_t n) { return std::bit_width(static_cast<std::uint64_t>(n)) - 1; }

}  // namespace brink::fabric
