#include "models/fabric/collective_program.h"

#include <cmath>
#include <map>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace brink::fabric {
namespace {

using Edges = std::vector<Transfer>;

class Builder {
 public:
  Builder(const Collective& collective, const HopAlphas& alphas)
      : op_(collective.op), layout_(collective.layout), nodes_(layout_.nodes), gpus_(layout_.gpus_per_node),
        ranks_(layout_.ranks()), bytes_(collective.message), alphas_(alphas) {}

  CollectiveProgram build(CollectiveAlgorithm algorithm) {
    switch (algorithm) {
      case CollectiveAlgorithm::ring: ring(); break;
      case CollectiveAlgorithm::tree: tree(); break;
      case CollectiveAlgorithm::nvls: nvls(); break;
      case CollectiveAlgorithm::nvls_tree: nvls_tree(); break;
      case CollectiveAlgorithm::one_shot: add(near_alpha(), everyone(bytes_)); break;
      case CollectiveAlgorithm::two_shot:
        for (int half = 0; half < 2; ++half) add(near_alpha(), everyone(part(ranks_)));
        break;
      case CollectiveAlgorithm::direct: direct(); break;
      case CollectiveAlgorithm::hierarchical: hierarchical(); break;
    }
    program_.ranks = ranks_;
    if (!program_.phases.empty()) program_.phases.front().alpha += alphas_.base;
    return std::move(program_);
  }

 private:
  [[nodiscard]] Bytes part(std::int64_t pieces) const { return bytes_ / static_cast<double>(pieces); }
  [[nodiscard]] Seconds near_alpha() const { return nodes_ > 1 ? alphas_.inter : alphas_.intra; }
  [[nodiscard]] std::int64_t rank(std::int64_t node, std::int64_t gpu) const { return node * gpus_ + gpu; }
  // All-reduce is a reduce-scatter and an all-gather; the others are one of the two.
  [[nodiscard]] std::int64_t halves() const { return op_ == CollectiveOp::all_reduce ? 2 : 1; }

  static void send(Edges& edges, std::int64_t from, std::int64_t to, Bytes size) {
    if (from != to && size > Bytes(0.0)) edges.push_back({static_cast<std::int32_t>(from), static_cast<std::int32_t>(to), size});
  }

  void add(Seconds alpha, Edges edges) { program_.phases.push_back({alpha, std::move(edges)}); }

  // All edges in every hop, each with its share of the stream.
  void stream(const std::vector<Seconds>& hops, Edges edges) {
    for (Transfer& edge : edges) edge.size = edge.size / static_cast<double>(hops.size());
    for (const Seconds hop : hops) add(hop, edges);
  }

  [[nodiscard]] Edges everyone(Bytes each) const {
    Edges edges;
    for (std::int64_t from = 0; from < ranks_; ++from)
      for (std::int64_t to = 0; to < ranks_; ++to) send(edges, from, to, each);
    return edges;
  }

  [[nodiscard]] Edges inside_nodes(Bytes each) const {
    Edges edges;
    for (std::int64_t node = 0; node < nodes_; ++node)
      for (std::int64_t from = 0; from < gpus_; ++from)
        for (std::int64_t to = 0; to < gpus_; ++to) send(edges, rank(node, from), rank(node, to), each);
    return edges;
  }

  // Channel c leaves node and rail at GPU c: of its `gpus_` hops in a node every GPU makes all but one.
  void ring() {
    const std::int64_t steps = halves() * (ranks_ - 1), far = halves() * (nodes_ - 1);
    const Bytes each = part(ranks_);
    const double out = nodes_ > 1 ? 1.0 / static_cast<double>(gpus_) : 0.0;
    Edges edges;
    for (std::int64_t node = 0; node < nodes_; ++node) {
      for (std::int64_t gpu = 0; gpu < gpus_; ++gpu) {
        send(edges, rank(node, gpu), rank(node, (gpu + 1) % gpus_), each * (1.0 - out));
        send(edges, rank(node, gpu), rank((node + 1) % nodes_, gpu), each * out);
      }
    }
    for (std::int64_t step = 0; step < steps; ++step) {
      const bool crosses = (step + 1) * far / steps > step * far / steps;  // spread evenly
      add(crosses ? alphas_.inter : alphas_.intra, edges);
    }
  }

  // NCCL's double binary tree: every node is inside one tree and a leaf of the other. Here the second is the
  // first one mirrored. Half of the bytes each, over the rail of each GPU.
  void between_nodes(Edges& edges, Bytes each_way) const {
    std::map<std::pair<std::int64_t, std::int64_t>, Bytes> sums;
    for (std::int64_t i = 1; i < nodes_; ++i) {
      const std::int64_t up = (i - 1) / 2, mirrored = nodes_ - 1 - i, mirrored_up = nodes_ - 1 - up;
      for (const auto& [child, parent] : {std::pair{i, up}, std::pair{mirrored, mirrored_up}}) {
        sums[{child, parent}] += each_way / 2.0;
        sums[{parent, child}] += each_way / 2.0;
      }
    }
    for (const auto& [ends, size] : sums)
      for (std::int64_t gpu = 0; gpu < gpus_; ++gpu) send(edges, rank(ends.first, gpu), rank(ends.second, gpu), size);
  }

  // A chain in every node, rooted at another GPU in every channel: sums go one way round, results the other.
  void tree() {
    Edges edges;
    const Bytes each = part(gpus_) * static_cast<double>(gpus_ - 1);
    for (std::int64_t node = 0; node < nodes_; ++node) {
      for (std::int64_t gpu = 0; gpu < gpus_; ++gpu) {
        send(edges, rank(node, gpu), rank(node, (gpu + 1) % gpus_), each);
        send(edges, rank(node, gpu), rank(node, (gpu + gpus_ - 1) % gpus_), each);
      }
    }
    between_nodes(edges, part(gpus_));
    std::vector<Seconds> hops;
    const auto near = static_cast<std::size_t>(gpus_ - 1), far = static_cast<std::size_t>(floor_log2(nodes_));
    hops.insert(hops.end(), near, alphas_.intra);
    hops.insert(hops.end(), 2 * far, alphas_.inter);
    hops.insert(hops.end(), near, alphas_.intra);
    stream(hops, std::move(edges));
  }

  // The switch pulls a share from every GPU for each owner, who hands the sum back for multicast: n + n / ranks
  // out of and into every GPU. Transfers between ranks stand for those to and from the switch.
  [[nodiscard]] Edges switched(std::int64_t phases) const {
    const auto gpus = static_cast<double>(gpus_);
    return inside_nodes(bytes_ * ((gpus + 1.0) / gpus / static_cast<double>(phases) / (gpus - 1.0)));
  }

  void nvls() {
    if (halves() == 1) return add(alphas_.intra, everyone(part(ranks_)));
    for (int half = 0; half < 2; ++half) add(alphas_.intra / 2.0, switched(2));
  }

  void nvls_tree() {
    Edges edges = switched(1);
    between_nodes(edges, part(gpus_));
    std::vector<Seconds> hops{alphas_.intra / 2.0};
    hops.insert(hops.end(), static_cast<std::size_t>(2 * floor_log2(nodes_)), alphas_.inter);
    hops.push_back(alphas_.intra / 2.0);
    stream(hops, std::move(edges));
  }

  void direct() {
    if (op_ != CollectiveOp::send_recv) return add(near_alpha(), everyone(part(ranks_)));
    Edges edges;
    send(edges, 0, ranks_ - 1, bytes_);
    add(near_alpha(), std::move(edges));
  }

  // Shards of n / gpus cross between nodes; recursive doubling where the nodes are a power of two, else a ring.
  void hierarchical() {
    const bool scatters = op_ != CollectiveOp::all_gather, gathers = op_ != CollectiveOp::reduce_scatter;
    if (scatters && gpus_ > 1) add(alphas_.intra, inside_nodes(part(gpus_)));
    const bool doubles = op_ == CollectiveOp::all_reduce && (nodes_ & (nodes_ - 1)) == 0;
    if (doubles) {
      for (std::int64_t distance = 1; distance < nodes_; distance *= 2) add(alphas_.inter, to_node([&](std::int64_t n) { return n ^ distance; }, part(gpus_)));
    } else {
      for (std::int64_t step = 0; step < halves() * (nodes_ - 1); ++step)
        add(alphas_.inter, to_node([&](std::int64_t n) { return (n + 1) % nodes_; }, part(ranks_)));
    }
    if (gathers && gpus_ > 1) add(alphas_.intra, inside_nodes(part(gpus_)));
  }

  template <class Partner>
  [[nodiscard]] Edges to_node(Partner partner, Bytes each) const {
    Edges edges;
    for (std::int64_t node = 0; node < nodes_; ++node)
      for (std::int64_t gpu = 0; gpu < gpus_; ++gpu) send(edges, rank(node, gpu), rank(partner(node), gpu), each);
    return edges;
  }

  CollectiveOp op_;
  RankLayout layout_;
  std::int64_t nodes_, gpus_, ranks_;
  Bytes bytes_;
  HopAlphas alphas_;
  CollectiveProgram program_;
};

}  // namespace

Seconds CollectiveProgram::alpha() const {
  Seconds sum;
  for (const Phase& phase : phases) sum += phase.alpha;
  return sum;
}

Bytes CollectiveProgram::traffic() const {
  Bytes sum;
  for (const Phase& phase : phases)
    for (const Transfer& transfer : phase.transfers) sum += transfer.size;
  return sum;
}

CollectiveProgram make_program(const Collective& collective, const HopAlphas& alphas) {
  if (collective.message < Bytes(0.0)) throw std::invalid_argument("collective: a negative message size");
  if (!supports(collective.op, collective.algorithm, collective.layout)) {
    throw std::invalid_argument(fmt::format("collective: no {} by {} on {} x {} GPUs", name(collective.op), name(collective.algorithm),
                                            collective.layout.nodes, collective.layout.gpus_per_node));
  }
  return Builder(collective, alphas).build(collective.algorithm);
}

CollectiveProgram scaled(CollectiveProgram program, double factor) {
  for (Phase& phase : program.phases) {
    phase.alpha *= factor;
    for (Transfer& transfer : phase.transfers) transfer.size *= factor;
  }
  return program;
}

}  // namespace brink::fabric
