// The closed form of a collective that shares its links with nothing: phase by phase, alpha and the fullest link.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "models/base/units.h"
#include "models/fabric/collective_program.h"
#include "models/fabric/placement.h"
#include "models/fabric/topology.h"

namespace brink::fabric {

/// The places put node by node, as RankLayout counts ranks (NCCL orders its rings by node, whatever the ranks' numbers).
[[nodiscard]] std::vector<GpuPlace> by_node(std::vector<GpuPlace> places);
/// How many nodes, and how many GPUs on the fullest.
[[nodiscard]] RankLayout layout_of(const std::vector<GpuPlace>& places);

/// The links between the GPUs of one group of ranks, looked up once a pair. Not for concurrent use.
class GroupPaths {
 public:
  /// `places`: the GPU of each rank. Throws ConfigError for one that the topology lacks when a path needs it.
  GroupPaths(const Topology& topology, std::vector<GpuPlace> places);

  [[nodiscard]] std::size_t ranks() const { return places_.size(); }
  /// Indices of the links from one rank's GPU to another's; none for a rank itself.
  const std::vector<std::size_t>& links(std::int32_t from, std::int32_t to);
  [[nodiscard]] BytesPerSecond capacity(std::size_t link) const { return capacities_[link]; }
  [[nodiscard]] std::size_t link_count() const { return capacities_.size(); }

 private:
  Topology topology_;
  std::vector<GpuPlace> places_;
  std::map<std::string, std::size_t> link_index_;
  std::vector<BytesPerSecond> capacities_;
  std::map<std::pair<std::int32_t, std::int32_t>, std::vector<std::size_t>> paths_;
};

struct CollectiveTime {
  Seconds alpha{0.0};     // of all phases
  Seconds transfer{0.0};  // of all phases: what their fullest link needs

  [[nodiscard]] Seconds total() const { return alpha + transfer; }
};

/// Sum over the phases of alpha + max over links of bytes / capacity, all ranks starting together (Hockney,
/// Parallel Computing 20(3), 1994, for one pair). Exact under max-min sharing where a phase loads its fullest links
/// evenly, which all programs here do.
[[nodiscard]] CollectiveTime closed_form(const CollectiveProgram& program, GroupPaths& paths);

/// The program stretched so that its closed form is `time`: measured curves enter closed form and flows alike.
/// A program without any time stays as it is.
[[nodiscard]] CollectiveProgram taking(const CollectiveProgram& program, GroupPaths& paths, Seconds time);

}  // namespace brink::fabric
