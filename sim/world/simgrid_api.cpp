#include "sim/world/simgrid_api.h"

#include <array>
#include <csignal>
#include <unordered_map>

#include <simgrid/kernel/Timer.hpp>
#include <simgrid/kernel/resource/NetworkModelIntf.hpp>
#include <simgrid/kernel/routing/NetPoint.hpp>
#include <simgrid/kernel/routing/NetZoneImpl.hpp>
#include <simgrid/s4u.hpp>
#include <xbt/log.h>

namespace brink::world::simgrid_api {

namespace s4u = simgrid::s4u;
namespace routing = simgrid::kernel::routing;

namespace {

struct Setting {
  const char* name;
  const char* value;
};

constexpr std::array pinned = {
    // CM02 shares a link max-min. The default LV08 corrects for TCP's protocol: it makes a
    // 900 GB/s, 1 us link take 13.1 us for 64 KiB instead of 1.07 us.
    Setting{"network/model", "CM02"},
    // TCP's window would cap a 400 GB/s, 20 us path at 105 GB/s; NVLink and RDMA have none.
    Setting{"network/TCP-gamma", "0"},
    // Acknowledgements do not use up the way back.
    Setting{"network/crosstraffic", "0"},
};

// SimGrid's full zone keeps a table of all pairs of hosts: half a gigabyte for 8,000 GPUs. This one
// keeps the declared routes.
class SparseZone final : public routing::NetZoneImpl {
 public:
  explicit SparseZone(const std::string& name) : NetZoneImpl(name) {}

  void add_route(routing::NetPoint* from, routing::NetPoint* to, routing::NetPoint*, routing::NetPoint*,
                 const std::vector<s4u::LinkInRoute>& links, bool) override {
    routes_[key(from, to)] = get_link_list_impl(links, false);
  }

  void get_local_route(const routing::NetPoint* from, const routing::NetPoint* to, routing::Route* into, double*) override {
    const auto& links = routes_.at(key(from, to));
    into->link_list_.insert(into->link_list_.end(), links.begin(), links.end());
  }

 private:
  static std::uint64_t key(const routing::NetPoint* from, const routing::NetPoint* to) { return from->id() << 32U | to->id(); }

  std::unordered_map<std::uint64_t, std::vector<simgrid::kernel::resource::StandardLinkImpl*>> routes_;
};

struct State {
  s4u::Engine* engine = nullptr;
  std::vector<s4u::Link*> links;
  std::vector<double> link_bytes;
  std::unordered_map<const s4u::Link*, std::size_t> link_index;
  std::vector<s4u::Host*> hosts;
  // SimGrid reports completions through one global signal; this finds whose it was.
  std::unordered_map<const s4u::Activity*, std::pair<s4u::CommPtr, std::function<void()>>> flows;
  s4u::CommPtr last_ended;
};

State& state() {
  static State the_state;
  return the_state;
}

void flow_completed(const s4u::Activity& activity) {
  auto& flows = state().flows;
  const auto found = flows.find(&activity);
  if (found == flows.end()) return;
  // SimGrid has listeners of its own after this one: the activity must outlive its signal, so
  // its last reference is kept until the next one ends.
  state().last_ended = std::move(found->second.first);
  const auto done = std::move(found->second.second);
  flows.erase(found);
  done();
}

}  // namespace

void create_engine() {
  static std::string program = "brink-sim";
  static std::array<char*, 2> arguments = {program.data(), nullptr};
  int count = 1;
  xbt_log_control_set("xbt_cfg.threshold:warning");  // it announces every setting otherwise
  // Ctrl-C stays the program's own business: SimGrid would list its actors instead of ending.
  auto* const on_interrupt = std::signal(SIGINT, SIG_DFL);
  auto* engine = new s4u::Engine(&count, arguments.data());  // lives as long as the process
  std::signal(SIGINT, on_interrupt);
  for (const Setting& s : pinned) s4u::Engine::set_config(std::string(s.name) + ":" + s.value);
  s4u::Activity::on_completion_cb(flow_completed);
  state().engine = engine;
}

std::vector<std::pair<std::string, std::string>> pinned_settings() {
  std::vector<std::pair<std::string, std::string>> result;
  for (const Setting& s : pinned) result.emplace_back(s.name, s.value);
  return result;
}

namespace {

// Called once for every flow, with its links: the place where all of them can be counted. The factor changes nothing.
double count_bytes(double size, const s4u::Host*, const s4u::Host*, const std::vector<s4u::Link*>& links,
                   const std::unordered_set<s4u::NetZone*>&) {
  for (const s4u::Link* link : links) state().link_bytes[state().link_index.at(link)] += size;
  return 1.0;
}

}  // namespace

void build_platform(const std::vector<HostSpec>& hosts, const std::vector<LinkSpec>& links,
                    const std::vector<RouteSpec>& routes) {
  auto* zone = (new SparseZone("cluster"))->get_iface();  // SimGrid's own from here on
  zone->get_network_model()->set_bw_factor_cb(count_bytes);
  for (const HostSpec& h : hosts) state().hosts.push_back(zone->create_host(h.name, h.speed.value()));
  for (const LinkSpec& l : links) {
    s4u::Link* made = zone->create_link(l.name, l.capacity.value())->set_latency(0.0)->seal();
    state().link_index.emplace(made, state().links.size());
    state().links.push_back(made);
  }
  state().link_bytes.assign(links.size(), 0.0);
  for (const RouteSpec& r : routes) {
    std::vector<s4u::LinkInRoute> path;
    for (const std::size_t index : r.links) path.emplace_back(state().links[index]);
    zone->add_route(state().hosts[r.from]->get_netpoint(), state().hosts[r.to]->get_netpoint(), nullptr, nullptr,
                    path, false);
  }
  zone->seal();
}

Bytes link_bytes(std::size_t link) { return Bytes(state().link_bytes.at(link)); }
BytesPerSecond link_rate(std::size_t link) { return BytesPerSecond(state().links.at(link)->get_usage()); }

Seconds now() { return Seconds(s4u::Engine::get_clock()); }

void set_timer(Seconds when, std::function<void()> callback) {
  simgrid::kernel::timer::Timer::set(when.value(), std::move(callback));
}

void start_flow(std::size_t from_host, std::size_t to_host, Bytes size, std::function<void()> done) {
  auto& hosts = state().hosts;
  const auto bytes = static_cast<std::uint64_t>(size.value());
  const s4u::CommPtr comm = s4u::Comm::sendto_async(hosts[from_host], hosts[to_host], bytes);
  state().flows.emplace(comm.get(), std::make_pair(comm, std::move(done)));
}

void run() { state().engine->run(); }

}  // namespace brink::world::simgrid_api
