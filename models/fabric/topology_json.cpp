#include "models/fabric/topology_json.h"

namespace brink::fabric {
namespace {

Json device_json(const Device& device) {
  Json out = Json::object();
  out.set("name", device.name);
  out.set("kind", kind_name(device.kind));
  if (device.node >= 0) out.set("node", device.node);
  out.set("index", device.index);
  if (device.chips > 1) out.set("chips", device.chips);
  return out;
}

Json cable_json(const Link& there, const Link& back) {
  Json out = Json::object();
  out.set("from", there.from);
  out.set("to", there.to);
  out.set("gb_per_s", there.capacity.value() / 1e9);
  if (!there.medium.empty()) out.set("duplex", "half");
  else if (back.capacity != there.capacity) out.set("back_gb_per_s", back.capacity.value() / 1e9);
  out.set("latency_us", to_us(there.latency));
  return out;
}

}  // namespace

Json topology_json(const Topology& topology) {
  const Graph& graph = topology.graph();
  Json out = Json::object();
  Json& devices = out.set("devices", Json::array());
  for (auto [vertex, end] = boost::vertices(graph); vertex != end; ++vertex) devices.push_back(device_json(graph[*vertex]));
  Json links = Json::array();
  for (auto [vertex, end] = boost::vertices(graph); vertex != end; ++vertex) {
    for (auto [edge, last] = boost::out_edges(*vertex, graph); edge != last; ++edge) {
      const std::size_t other = boost::target(*edge, graph);
      if (other < *vertex) continue;  // its cable was listed from the other end
      links.push_back(cable_json(graph[*edge], graph[boost::edge(other, *vertex, graph).first]));
    }
  }
  out.set("links", std::move(links));
  return out;
}

}  // namespace brink::fabric
