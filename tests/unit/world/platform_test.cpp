// The platform generated from a topology: who reaches whom, at what rate, over which links.
#include "sim/world/platform.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/base/error.h"
#include "sim/world/world.h"
#include "tests/support/forked.h"

namespace brink::world {
namespace {

using brink::testing::in_child;
using fabric::Cluster;
using fabric::GpuPlace;
using fabric::Topology;

const FlopsPerSecond speed(1e12);

Cluster nd_h100(double hbm_gb_per_s = 3180.0) {
  Cluster cluster = fabric::load_cluster(std::string(BRINK_SOURCE_DIR) + "/configs/clusters/nd_h100_v5_2node.json");
  cluster.hbm.bandwidth = BytesPerSecond(1e9 * hbm_gb_per_s);
  return cluster;
}

/// Four GPUs: two senders, 1 us and 10 us away from a switch whose one way down is 100 GB/s, and a receiver behind it; and
/// one that only the first sender reaches, over 900 GB/s and 1 us.
Cluster near_and_far() {
  return fabric::read_cluster(parse_json(R"({"gpu": "x.json", "gpus_per_node": 1, "nodes": 4, "fabric": {"graph": {
    "devices": [{"name": "near", "kind": "gpu", "node": 0, "index": 0}, {"name": "far", "kind": "gpu", "node": 1, "index": 0},
                {"name": "sink", "kind": "gpu", "node": 2, "index": 0}, {"name": "peer", "kind": "gpu", "node": 3, "index": 0},
                {"name": "switch", "kind": "leaf"}],
    "links": [{"from": "near", "to": "switch", "gb_per_s": 400, "latency_us": 1},
              {"from": "far", "to": "switch", "gb_per_s": 400, "latency_us": 10},
              {"from": "switch", "to": "sink", "gb_per_s": 100, "latency_us": 0},
              {"from": "near", "to": "peer", "gb_per_s": 900, "latency_us": 1}]}}})"), ".");
}

struct Transfer {
  std::size_t from, to;
  double bytes;
  double begin = 0.0;
};

/// Starts transfers at their times and notes when each ends.
struct Driver final : EventHandler {
  Driver(World& w, const std::vector<Transfer>& t) : world(w), transfers(t), ends(t.size(), -1.0) {
    for (std::size_t i = 0; i < t.size(); ++i) world.schedule(Seconds(t[i].begin), Priority::arrival, 0, *this, 0, i);
  }
  void on_event(std::uint32_t kind, std::uint64_t i) override {
    if (kind == 1) ends[i] = world.now().value();
    else world.transfer(transfers[i].from, transfers[i].to, Bytes(transfers[i].bytes), 0, *this, 1, i);
  }
  World& world;
  const std::vector<Transfer>& transfers;
  std::vector<double> ends;
};

std::vector<double> ends_of(const Platform& platform, const std::vector<Transfer>& transfers) {
  return in_child([&] {
    World world(platform);
    Driver driver(world, transfers);
    world.run();
    return driver.ends;
  });
}

double tolerance(double expected) {
  return 1e-9 * expected + 2.0 * (std::nextafter(expected, std::numeric_limits<double>::infinity()) - expected);
}

TEST(platform, near_and_far_flows_get_equal_bandwidth) {
  const Cluster cluster = near_and_far();
  const Platform platform = make_platform(cluster, Topology(cluster), {{{0, 0}, {1, 0}, {2, 0}}}, speed);
  EXPECT_NEAR(to_us(platform.latency(0, 2)), 1.0, 1e-12);
  EXPECT_NEAR(to_us(platform.latency(1, 2)), 10.0, 1e-12);
  // The far one starts 9 us earlier, so that both flows begin and, at equal rates, end together.
  const double bytes = 1e9;
  const auto ends = ends_of(platform, {{0, 2, bytes, 9e-6}, {1, 2, bytes, 0.0}});
  const double expected = 10e-6 + 2 * bytes / 100e9;
  EXPECT_NEAR(ends[0], expected, 1e-6 * expected);
  EXPECT_NEAR(ends[1], expected, 1e-6 * expected);
  EXPECT_NEAR(ends[0] - 10e-6, ends[1] - 10e-6, 1e-6 * (expected - 10e-6));
}

TEST(platform, one_link_takes_latency_and_bytes_over_bandwidth) {
  const Cluster cluster = near_and_far();
  const Platform platform = make_platform(cluster, Topology(cluster), {{{0, 0}, {3, 0}}}, speed);
  for (const double bytes : {1.0, 4096.0, 65536.0, 16e6, 80e9}) {
    const double expected = 1e-6 + bytes / 900e9;
    EXPECT_NEAR(ends_of(platform, {{0, 3, bytes}})[0], expected, tolerance(expected)) << bytes;
  }
}

TEST(platform, hosts_are_gpus_then_memories_then_node_hosts) {
  const Cluster cluster = nd_h100();
  const Topology topology(cluster);
  const Platform platform = make_platform(cluster, topology, Traffic{{{{0, 0}, {0, 1}}}, {{{0, 3}, {1, 5}}}, {0}}, speed);
  EXPECT_EQ(platform.hosts.size(), 16u + 16u + 2u);
  EXPECT_EQ(platform.hosts[host_index(cluster, {1, 5})].name, "n1.gpu5");
  EXPECT_EQ(platform.hosts[memory_index(cluster, {1, 5})].name, "n1.hbm5");
  EXPECT_EQ(platform.hosts[node_host_index(cluster, 1)].name, "n1.host");
  // Both directions of an HBM are one link.
  EXPECT_EQ(platform.link("n0.gpu3->n0.hbm3"), platform.link("n0.hbm3->n0.gpu3"));
  EXPECT_NE(platform.link("n0.gpu3->n0.nvswitch"), platform.link("n0.nvswitch->n0.gpu3"));
  EXPECT_EQ(platform.links.size(), topology.links().size() - 16);
  EXPECT_THROW((void)platform.link("n0.gpu9->n0.nvswitch"), Error);
  EXPECT_THROW((void)platform.latency(host_index(cluster, {0, 0}), host_index(cluster, {0, 2})), Error);
  EXPECT_NEAR(to_us(platform.latency(node_host_index(cluster, 0), memory_index(cluster, {0, 3}))), 0.75, 1e-12);
}

TEST(platform, memories_that_the_fabric_lacks_are_an_error) {
  const Cluster cluster = near_and_far();  // drawn without memories, bandwidth unknown
  EXPECT_THROW((void)make_platform(cluster, Topology(cluster), Traffic{{}, {{{0, 0}, {3, 0}}}, {}}, speed), ConfigError);
  EXPECT_THROW((void)make_platform(cluster, Topology(cluster), Traffic{{}, {}, {0}}, speed), ConfigError);
}

// A decode step reads its weights and KV through the HBM link while KV leaves for another node.
struct Overlap {
  double step, transfer;
};

Overlap overlapped(double hbm_gb_per_s, double step_bytes, double kv_bytes) {
  const Cluster cluster = nd_h100(hbm_gb_per_s);
  const Platform platform = make_platform(cluster, Topology(cluster), Traffic{{}, {{{0, 0}, {1, 0}}}, {}}, speed);
  const std::size_t gpu = host_index(cluster, {0, 0}), memory = memory_index(cluster, {0, 0});
  const auto ends = ends_of(platform, {{memory, gpu, step_bytes}, {memory, memory_index(cluster, {1, 0}), kv_bytes}});
  return {ends[0], ends[1]};
}

TEST(platform, decode_and_copies_share_the_hbm_link) {
  // 3180 GB/s of HBM, 50 GB/s of NIC: the export gets its 50, which is less than half of the HBM; decode has the other 3130.
  const double step_bytes = 20e9, kv_bytes = 10e9;
  const Overlap full = overlapped(3180, step_bytes, kv_bytes);
  const double latency = 2.7e-6, before = latency * 3180e9;  // alone until the export's first byte leaves
  const double expected = latency + (step_bytes - before) / 3130e9;
  EXPECT_NEAR(full.step, expected, 1e-9 * expected);
  EXPECT_NEAR(full.transfer, latency + kv_bytes / 50e9, 1e-9);
  // Half the link: 1590 less 50 leaves decode 1540 GB/s: slower by 3130/1540, a little more than twofold.
  const Overlap half = overlapped(1590, step_bytes, kv_bytes);
  const double half_expected = latency + (step_bytes - latency * 1590e9) / 1540e9;
  EXPECT_NEAR(half.step, half_expected, 1e-9 * half_expected);
  EXPECT_NEAR(half.step / full.step, 3130.0 / 1540.0, 1e-3);
  EXPECT_NEAR(half.transfer, full.transfer, 1e-12);
  // So thin a link that max-min halves it: 80 GB/s is 40 each, less than the NIC's 50, which the export has once the
  // step, 2.7 us ahead, is through.
  const Overlap thin = overlapped(80, 1e9, 1e9);
  const double step_end = latency + (1e9 - latency * 80e9) / 40e9;
  EXPECT_NEAR(thin.step, step_end, 1e-9);
  EXPECT_NEAR(thin.transfer, step_end + (1e9 - (step_end - latency) * 40e9) / 50e9, 1e-9);
}

TEST(platform, a_half_duplex_memory_shares_reads_and_writes) {
  const Cluster cluster = nd_h100(100);
  const Platform platform = make_platform(cluster, Topology(cluster), Traffic{{}, {{{0, 0}}}, {}}, speed);
  const std::size_t gpu = host_index(cluster, {0, 0}), memory = memory_index(cluster, {0, 0});
  const auto ends = ends_of(platform, {{memory, gpu, 1e9}, {gpu, memory, 1e9}});
  EXPECT_NEAR(ends[0], 0.02, 1e-11);
  EXPECT_NEAR(ends[1], 0.02, 1e-11);
}

TEST(platform, link_bytes_are_the_sum_of_transfers_times_hops) {
  const Cluster cluster = nd_h100();
  const Topology topology(cluster);
  std::vector<GpuPlace> all;
  for (std::int64_t gpu = 0; gpu < 16; ++gpu) all.push_back({gpu / 8, gpu % 8});
  const Platform platform = make_platform(cluster, topology, Traffic{{all}, {all}, {}}, speed);
  std::vector<Transfer> transfers;
  std::vector<double> expected(platform.links.size(), 0.0);
  double byte_hops = 0.0;
  for (std::size_t i = 0; i < 200; ++i) {  // pairs, sizes and times that overlap every which way
    const GpuPlace a = all[i * 7 % 16], b = all[(i * 7 + 1 + i * 5 % 15) % 16];
    const bool copy = i % 3 == 0;
    const double bytes = 1.0 + static_cast<double>(i * 977 % 101) * 1e6;
    transfers.push_back({copy ? memory_index(cluster, a) : host_index(cluster, a),
                         copy ? memory_index(cluster, b) : host_index(cluster, b), bytes, static_cast<double>(i % 20) * 1e-4});
    const std::string from = platform.hosts[transfers.back().from].name, to = platform.hosts[transfers.back().to].name;
    for (const fabric::Link& link : topology.route(from, to).links) {
      expected[platform.link(link.name)] += bytes;
      byte_hops += bytes;
    }
  }
  const auto counted = in_child([&] {
    World world(platform);
    Driver driver(world, transfers);
    world.run();
    std::vector<double> out;
    for (std::size_t link = 0; link < platform.links.size(); ++link) {
      out.push_back(world.link_bytes(link).value());
      EXPECT_EQ(world.link_rate(link).value(), 0.0);
    }
    return out;
  });
  double sum = 0.0;
  for (std::size_t link = 0; link < platform.links.size(); ++link) {
    sum += counted[link];
    EXPECT_NEAR(counted[link], expected[link], 1e-9 * expected[link]) << platform.links[link].name;
  }
  EXPECT_NEAR(sum, byte_hops, 1e-9 * byte_hops);
}

// A link that never idles carries its capacity times the time: the count agrees with the rates.
TEST(platform, a_busy_links_bytes_are_its_capacity_times_the_time) {
  const Cluster cluster = nd_h100();
  std::vector<GpuPlace> node;
  for (std::int64_t gpu = 0; gpu < 8; ++gpu) node.push_back({0, gpu});
  node.push_back({1, 0});
  const Platform platform = make_platform(cluster, Topology(cluster), {node}, speed);
  std::vector<Transfer> transfers;  // eight senders, one receiver, another size each
  for (std::size_t gpu = 0; gpu < 8; ++gpu) transfers.push_back({gpu, host_index(cluster, {1, 0}), 1e8 * static_cast<double>(gpu + 1)});
  const std::size_t nic = platform.link("leaf0->n1.nic0");
  const auto seen = in_child([&] {
    World world(platform);
    Driver driver(world, transfers);
    world.run();
    return std::vector<double>{world.now().value(), world.link_bytes(nic).value(), world.link_rate(nic).value()};
  });
  EXPECT_DOUBLE_EQ(seen[1], 36e8);
  EXPECT_DOUBLE_EQ(seen[2], 0.0);
  // Idle for 2.7 us; all but the first (on the rail) come 0.5 us later, while it has the link to itself.
  EXPECT_NEAR((seen[0] - 2.7e-6) * 50e9, seen[1], 1e-9 * seen[1]);
}

struct RateProbe final : EventHandler {
  RateProbe(World& w, std::size_t l) : world(w), link(l) { world.schedule(Seconds(1e-3), Priority::observe, 0, *this, 0, 0); }
  void on_event(std::uint32_t, std::uint64_t) override { rate = world.link_rate(link).value(); }
  World& world;
  std::size_t link;
  double rate = -1.0;
};

TEST(platform, the_rate_of_a_link_is_what_crosses_it_now) {
  const Cluster cluster = near_and_far();
  const Platform platform = make_platform(cluster, Topology(cluster), {{{0, 0}, {1, 0}, {2, 0}}}, speed);
  const auto rates = in_child([&] {
    World world(platform);
    const std::vector<Transfer> transfers = {{0, 2, 1e9}, {1, 2, 1e9}};
    Driver driver(world, transfers);
    RateProbe shared(world, platform.link("switch->sink")), own(world, platform.link("near->switch"));
    world.run();
    return std::vector<double>{shared.rate, own.rate};
  });
  EXPECT_NEAR(rates[0], 100e9, 1.0);
  EXPECT_NEAR(rates[1], 50e9, 1.0);
}

}  // namespace
}  // namespace brink::world
