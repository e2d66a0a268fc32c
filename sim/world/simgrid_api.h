// Every call into SimGrid that depends on its version (3.32 is the one Debian 12 ships), and
// the settings that make its network a plain max-min sharing model.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/base/units.h"

namespace brink::world::simgrid_api {

/// Creates the process's one engine with the pinned settings. A second call aborts the
/// process (SimGrid's own rule), so one run is one process.
void create_engine();

/// Names and values of the settings that create_engine() pins, for the tests and the record.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> pinned_settings();

struct HostSpec {
  std::string name;
  FlopsPerSecond speed;
};
struct LinkSpec {
  std::string name;
  BytesPerSecond capacity;
};
/// A route by indices into the link list; latency is not SimGrid's business (see World).
struct RouteSpec {
  std::size_t from = 0, to = 0;  // indices into the host list
  std::vector<std::size_t> links;
};

/// Builds and seals a flat platform. All links have latency 0. Memory grows with the routes, not with pairs of hosts.
void build_platform(const std::vector<HostSpec>& hosts, const std::vector<LinkSpec>& links,
                    const std::vector<RouteSpec>& routes);

/// Bytes of all flows that ever began to cross the link, whoever started them: SimGrid's sizes on SimGrid's routes.
[[nodiscard]] Bytes link_bytes(std::size_t link);
/// What crosses it at this instant.
[[nodiscard]] BytesPerSecond link_rate(std::size_t link);

[[nodiscard]] Seconds now();

/// Calls `callback` from SimGrid's main loop at simulated time `when`.
void set_timer(Seconds when, std::function<void()> callback);

/// Starts a flow now; `done` is called when its last byte has arrived.
void start_flow(std::size_t from_host, std::size_t to_host, Bytes size, std::function<void()> done);

/// Runs until no timer and no flow is left.
void run();

}  // namespace brink::world::simgrid_api
