// One request on an idle disaggregated cluster: what its KV costs on the way is bytes over bandwidth, no more, no less.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/scenario/simulation.h"
#include "tests/support/forked.h"

namespace brink::testing {
namespace {

const std::string configs = std::string(BRINK_SOURCE_DIR) + "/configs";

constexpr std::int64_t prompt = 4096;  // whole blocks
constexpr double layers = 80.0;
// Llama 3.1 70B over 8 ranks: one KV head of 128 elements of 2 bytes each, K and V.
constexpr double rank_bytes = static_cast<double>(prompt) * layers * 2.0 * 128.0 * 2.0;
constexpr double nic = 50e9;

Json scenario(double nic_gb_per_s, const std::string& overlap) {
  Json cluster = load_json(configs + "/clusters/nd_h100_v5_4node.json");
  set_at_pointer(cluster, "/gpu", Json(configs + "/gpus/h100_sxm.json"));
  set_at_pointer(cluster, "/fabric/network/nic_gb_per_s_each_way", Json(nic_gb_per_s));
  Json out = load_json(configs + "/scenarios/pd_disaggregation.json");
  set_at_pointer(out, "/cluster", std::move(cluster));
  set_at_pointer(out, "/disaggregation/transfer/overlap", Json(overlap));
  set_at_pointer(out, "/workload", parse_json(R"({"arrivals": {"kind": "poisson", "rate_per_s": 1}, "num_requests": 1,
    "input_tokens": {"kind": "fixed", "value": 4096}, "output_tokens": {"kind": "fixed", "value": 2}})"));
  return out;
}

struct Latencies {
  double ttft, e2e, delay;  // s
};

Latencies run(double nic_gb_per_s, const std::string& overlap) {
  const auto values = in_child([&] {
    const scenario::Scenario s = scenario::read_scenario(scenario(nic_gb_per_s, overlap), configs + "/scenarios");
    const Json summary = scenario::run_scenario(s).summary;
    const auto ms = [&](const char* key) { return at_pointer(summary, key)->as_double() * 1e-3; };
    return std::vector<double>{ms("/mean_ttft_ms"), ms("/mean_e2el_ms"), ms("/handover/mean_delay_ms")};
  });
  return {values[0], values[1], values[2]};
}

// Eight ranks send 168 MB each over a NIC of their own: 3.36 ms at 50 GB/s, twice that at half of it.
TEST(disaggregation, half_the_nic_bandwidth_delays_the_first_decode_token_by_what_the_transfer_needs) {
  const Latencies full = run(50.0, "none"), half = run(25.0, "none");
  EXPECT_EQ(full.ttft, half.ttft);
  EXPECT_NEAR(half.e2e - full.e2e, rank_bytes / (nic / 2.0) - rank_bytes / nic, 1e-9);
  EXPECT_NEAR(half.e2e - full.e2e, 3.3554432e-3, 1e-9);
  // PCIe switch, NIC, leaf, NIC, PCIe switch: the path's latency, then the bytes.
  EXPECT_NEAR(full.delay, rank_bytes / nic + 2.7e-6, 1e-9);
}

// Layer by layer only the last of 80 layers is left when the prefill, of hundreds of ms, ends.
TEST(disaggregation, by_layer_one_layer_is_left) {
  const Latencies full = run(50.0, "layer"), half = run(25.0, "layer");
  EXPECT_NEAR(full.delay, rank_bytes / layers / nic + 2.7e-6, 1e-9);
  EXPECT_NEAR(half.e2e - full.e2e, rank_bytes / layers / nic, 1e-9);
}

}  // namespace
}  // namespace brink::testing
