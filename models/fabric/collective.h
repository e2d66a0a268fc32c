// What a collective is: an operation, an algorithm that does it, a protocol it speaks, and how its ranks are
// spread over nodes.
#pragma once

#include <cstdint>
#include <string>

#include "models/base/units.h"

namespace brink::fabric {

enum class CollectiveOp { all_reduce, all_gather, reduce_scatter, all_to_all, send_recv };

/// ring, tree, nvls and nvls_tree are NCCL's; one-shot and two-shot those of the engines' own kernels; direct sends
/// every pair its part at once (all-to-all, send/recv); hierarchical reduces inside nodes, exchanges shards between
/// them by recursive doubling and gathers (NVRAR, arXiv 2511.09557).
enum class CollectiveAlgorithm { ring, tree, nvls, nvls_tree, one_shot, two_shot, direct, hierarchical };

/// NCCL's protocols: LL sends 8-byte words of data and flag, LL128 lines of 120 + 8 bytes, Simple whole buffers.
enum class CollectiveProtocol { ll, ll128, simple };

/// "all_reduce" ...
[[nodiscard]] std::string name(CollectiveOp op);
/// "Ring", "NVLSTree", "hierarchical" ...
[[nodiscard]] std::string name(CollectiveAlgorithm algorithm);
/// "LL", "LL128", "Simple".
[[nodiscard]] std::string name(CollectiveProtocol protocol);

/// Ranks by node: every node holds the same number. Rank r is GPU r % gpus_per_node of node r / gpus_per_node.
struct RankLayout {
  std::int64_t nodes = 1;
  std::int64_t gpus_per_node = 1;

  [[nodiscard]] std::int64_t ranks() const { return nodes * gpus_per_node; }
  bool operator==(const RankLayout&) const = default;
};

/// One collective. `message` is the buffer of one rank for all-reduce, all-to-all and send/recv, the gathered buffer
/// for all-gather, the buffer before scattering for reduce-scatter (nccl-tests' sizes).
struct Collective {
  CollectiveOp op = CollectiveOp::all_reduce;
  CollectiveAlgorithm algorithm = CollectiveAlgorithm::ring;
  RankLayout layout;
  Bytes message{0.0};
};

/// Whether the algorithm does this operation on this layout.
[[nodiscard]] bool supports(CollectiveOp op, CollectiveAlgorithm algorithm, const RankLayout& layout);

/// The largest k with 2^k <= n; n >= 1.
[[nodiscard]] std::int64_t floor_log2(std::int64_t n);

}  // namespace brink::fabric
