#include "models/fabric/graph_json.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace brink::fabric {
namespace {

constexpr double gb_per_s_max = 1e6, latency_us_max = 1e6;
constexpr std::array all_kinds = {DeviceKind::gpu, DeviceKind::hbm,  DeviceKind::nvswitch, DeviceKind::pcie_switch,
                                  DeviceKind::nic, DeviceKind::host, DeviceKind::leaf,     DeviceKind::spine};

bool between_nodes(DeviceKind kind) { return kind == DeviceKind::leaf || kind == DeviceKind::spine; }

class GraphReader {
 public:
  GraphReader(ObjectReader& reader, const Cluster& cluster) : reader_(reader), cluster_(cluster) {}

  GraphSpec read() {
    reader_.each("devices", [&](const Json& item, const std::string& pointer) { read_device(item, pointer); });
    reader_.each("links", [&](const Json& item, const std::string& pointer) { read_cable(item, pointer); });
    for (std::size_t i = 0; i < spec_.devices.size(); ++i) {
      if (linked_.contains(spec_.devices[i].name)) continue;
      throw ConfigError(join_pointer(reader_.pointer_to("devices"), i), "'" + spec_.devices[i].name + "', which no link names",
                        "a device that at least one link joins to the others");
    }
    for (std::int64_t node = 0; node < cluster_.nodes; ++node) {
      for (std::int64_t index = 0; index < cluster_.gpus_per_node; ++index) {
        if (numbers_.contains({DeviceKind::gpu, node, index})) continue;
        throw reader_.error("devices", fmt::format("no GPU {} of node {}", index, node),
                            fmt::format("a gpu for each of {} nodes and {} GPUs a node", cluster_.nodes, cluster_.gpus_per_node));
      }
    }
    return std::move(spec_);
  }

 private:
  static DeviceKind kind_of(const std::string& name) {
    return *std::find_if(all_kinds.begin(), all_kinds.end(), [&](DeviceKind kind) { return name == kind_name(kind); });
  }

  void read_device(const Json& item, const std::string& pointer) {
    ObjectReader in(item, pointer);
    Device device;
    device.name = in.string("name");
    if (device.name.empty()) throw in.error("name", "an empty string", "a name, such as n0.gpu0");
    std::vector<std::string> kinds;
    for (const DeviceKind kind : all_kinds) kinds.emplace_back(kind_name(kind));
    device.kind = kind_of(in.choice("kind", kinds));
    const auto last_node = static_cast<double>(cluster_.nodes - 1);
    // A switch between nodes is in none; everything else is in one.
    if (between_nodes(device.kind)) device.node = -1;
    else device.node = in.integer("node", Range::between(0, last_node));
    const bool gpu = device.kind == DeviceKind::gpu || device.kind == DeviceKind::hbm;
    const double index_max = gpu ? static_cast<double>(cluster_.gpus_per_node - 1) : 1e6;
    device.index = gpu ? in.integer("index", Range::between(0, index_max)) : in.integer_or("index", 0, Range::between(0, index_max));
    device.chips = in.integer_or("chips", 1, Range::between(1, 1024));
    in.finish();
    if (!names_.insert(device.name).second) throw in.error("name", "'" + device.name + "' a second time", "a name of its own");
    const bool numbered = gpu || device.kind == DeviceKind::host;
    if (numbered && !numbers_.insert({device.kind, device.node, device.index}).second) {
      throw in.error("index", fmt::format("{} {} of node {} a second time", kind_name(device.kind), device.index, device.node),
                     "every number once in a node");
    }
    spec_.devices.push_back(std::move(device));
  }

  std::string end_of(ObjectReader& in, const char* key) {
    std::string name = in.string(key);
    if (names_.contains(name)) {
      linked_.insert(name);
      return name;
    }
    const std::string nearest = nearest_name(name, {names_.begin(), names_.end()});
    throw in.error(key, "'" + name + "'", nearest.empty() ? "the name of one of the devices" : "did you mean '" + nearest + "'?");
  }

  void read_cable(const Json& item, const std::string& pointer) {
    ObjectReader in(item, pointer);
    Cable cable;
    cable.from = end_of(in, "from");
    cable.to = end_of(in, "to");
    Range rate = Range::between(0, gb_per_s_max, "GB/s");
    rate.min_open = true;
    const double there = in.number("gb_per_s", rate);
    cable.there = BytesPerSecond(1e9 * there);
    cable.latency = microseconds(in.number("latency_us", Range::between(0, latency_us_max, "us")));
    cable.half_duplex = in.choice_or("duplex", {"full", "half"}, "full") == "half";
    if (cable.half_duplex && in.has("back_gb_per_s"))
      throw in.error("back_gb_per_s", "a rate of its own", "nothing beside \"duplex\": \"half\", which shares gb_per_s");
    cable.back = BytesPerSecond(1e9 * (cable.half_duplex ? there : in.number_or("back_gb_per_s", there, rate)));
    in.finish();
    if (cable.from == cable.to) throw in.error("to", "'" + cable.to + "' again", "another device than from");
    if (!pairs_.insert(std::minmax(cable.from, cable.to)).second) {
      throw in.error("to", "a second link between '" + cable.from + "' and '" + cable.to + "'",
                     "one link a pair, with the capacity of all its cables, each way");
    }
    spec_.cables.push_back(std::move(cable));
  }

  ObjectReader& reader_;
  const Cluster& cluster_;
  GraphSpec spec_;
  std::set<std::string> names_, linked_;
  std::set<std::tuple<DeviceKind, std::int64_t, std::int64_t>> numbers_;
  std::set<std::pair<std::string, std::string>> pairs_;
};

// What closed forms and summaries want to know of any cluster, from the cables of its kinds: the
// narrowest of them, the longest latency.
void describe(const GraphSpec& graph, Cluster& cluster) {
  std::map<std::string, const Device*> device;
  for (const Device& d : graph.devices) device[d.name] = &d;
  const auto joins = [&](const Cable& cable, DeviceKind a, DeviceKind b) {
    const DeviceKind from = device[cable.from]->kind, to = device[cable.to]->kind;
    return (from == a && to == b) || (from == b && to == a);
  };
  const auto narrow = [](BytesPerSecond& rate, Seconds& latency, const Cable& cable) {
    const BytesPerSecond least = std::min(cable.there, cable.back);
    rate = rate.value() > 0.0 ? std::min(rate, least) : least;
    latency = std::max(latency, cable.latency);
  };
  for (const Cable& cable : graph.cables) {
    if (joins(cable, DeviceKind::gpu, DeviceKind::nvswitch)) narrow(cluster.nvlink.each_way, cluster.nvlink.latency, cable);
    if (joins(cable, DeviceKind::gpu, DeviceKind::pcie_switch)) narrow(cluster.pcie.each_way, cluster.pcie.latency, cable);
    if (joins(cable, DeviceKind::nic, DeviceKind::leaf)) narrow(cluster.network.nic_each_way, cluster.network.nic_latency, cable);
    if (joins(cable, DeviceKind::leaf, DeviceKind::spine))
      cluster.network.spine_latency = std::max(cluster.network.spine_latency, cable.latency);
  }
  for (const Device& d : graph.devices) {
    if (d.kind == DeviceKind::nvswitch && d.node == 0) cluster.nvlink.switches += d.chips;
    if (d.kind == DeviceKind::nic && d.node == 0) ++cluster.network.nics_per_node;
  }
  cluster.has_nvlink = cluster.nvlink.each_way.value() > 0.0;
  cluster.has_network = cluster.network.nic_each_way.value() > 0.0;
}

}  // namespace

void read_graph(ObjectReader reader, Cluster& cluster) {
  GraphReader graph(reader, cluster);
  auto spec = std::make_shared<GraphSpec>(graph.read());
  reader.string_or("source", "");
  reader.finish();
  describe(*spec, cluster);
  cluster.graph = std::move(spec);
}

}  // namespace brink::fabric
