#include "models/fabric/collective_time.h"

#include <algorithm>
#include <string>

namespace brink::fabric {

std::vector<GpuPlace> by_node(std::vector<GpuPlace> places) {
  std::stable_sort(places.begin(), places.end());
  return places;
}

RankLayout layout_of(const std::vector<GpuPlace>& places) {
  std::map<std::int64_t, std::int64_t> nodes;
  for (const GpuPlace& place : places) ++nodes[place.node];
  RankLayout layout{static_cast<std::int64_t>(nodes.size()), 0};
  for (const auto& node : nodes) layout.gpus_per_node = std::max(layout.gpus_per_node, node.second);
  return layout;
}

GroupPaths::GroupPaths(const Topology& topology, std::vector<GpuPlace> places) : topology_(topology), places_(std::move(places)) {}

const std::vector<std::size_t>& GroupPaths::links(std::int32_t from, std::int32_t to) {
  const auto [entry, added] = paths_.try_emplace({from, to});
  if (!added || from == to) return entry->second;
  const auto device = [&](std::int32_t rank) {
    const GpuPlace& place = places_.at(static_cast<std::size_t>(rank));
    return topology_.gpu_name(place.node, place.index);
  };
  for (const Link& link : topology_.route(device(from), device(to)).links) {
    const auto [index, is_new] = link_index_.try_emplace(link.resource(), capacities_.size());
    if (is_new) capacities_.push_back(link.capacity);
    entry->second.push_back(index->second);
  }
  return entry->second;
}

namespace {

Seconds fullest(const Phase& phase, GroupPaths& paths, std::vector<Bytes>& loads) {
  std::fill(loads.begin(), loads.end(), Bytes(0.0));
  for (const Transfer& transfer : phase.transfers) {
    for (const std::size_t link : paths.links(transfer.from, transfer.to)) {
      if (link >= loads.size()) loads.resize(paths.link_count());
      loads[link] += transfer.size;
    }
  }
  Seconds most;
  for (std::size_t link = 0; link < loads.size(); ++link) most = std::max(most, loads[link] / paths.capacity(link));
  return most;
}

}  // namespace

CollectiveTime closed_form(const CollectiveProgram& program, GroupPaths& paths) {
  CollectiveTime time;
  std::vector<Bytes> loads;
  const Phase* last = nullptr;
  Seconds last_transfer;
  for (const Phase& phase : program.phases) {
    // Rings and streams repeat one set of transfers.
    if (last == nullptr || phase.transfers != last->transfers) last_transfer = fullest(phase, paths, loads);
    last = &phase;
    time.alpha += phase.alpha;
    time.transfer += last_transfer;
  }
  return time;
}

CollectiveProgram taking(const CollectiveProgram& program, GroupPaths& paths, Seconds time) {
  const Seconds now = closed_form(program, paths).total();
  return now > Seconds(0.0) ? scaled(program, time / now) : program;
}

}  // namespace brink::fabric
