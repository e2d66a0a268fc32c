// Results of the microkernels as a machine with known laws would give them: JSON Lines drawn from the laws with
// relative Gaussian noise. Fits must find the laws again.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "models/base/json.h"
#include "models/cost/attention_cost.h"
#include "models/cost/gemm_cost.h"
#include "models/cost/memory_curves.h"

namespace brink::calibrate::synthetic {

/// The machine behind the results.
struct Truth {
  cost::TransferCurve read{"read", Seconds(2.2e-6), BytesPerSecond(3.02e12), 1.6, {}};
  cost::TransferCurve copy{"copy", Seconds(2.6e-6), BytesPerSecond(2.81e12), 1.4, {}};
  cost::GatherCurve gather{"scattered_4096_mib", BytesPerSecond(2.9e12), Bytes(420.0), {}};
  cost::CacheKnee l2{Bytes(33e6), 9.0, BytesPerSecond(6.8e12), BytesPerSecond(2.55e12), Seconds(142e-9), Seconds(228e-9), Seconds(371e-9), Bytes(13e6), {}};
  cost::TransferCurve d2h{"d2h", Seconds(4.5e-6), BytesPerSecond(52e9), 1.2, {}};
  Seconds tlb_base{255e-9}, tlb_penalty{310e-9};
  double tlb_reach = 0.0;  ///< 0: no cliff
  Seconds host_launch{2.1e-6}, kernel_gap{1.35e-6}, graph_launch{6.4e-6}, graph_node{0.82e-6}, graph_host{3.3e-6};
  Seconds norm_floor{2.4e-6};
  double kernel_slowdown = 1.043, copy_slowdown = 1.21, sustained_flops = 702e12, sustained_clock_mhz = 1455, power_w = 695;
};

class Results {
 public:
  explicit Results(double noise, std::uint64_t seed = 7) : noise_(noise), generator_(seed) {
    text_ = R"({"kind":"header","schema_version":1,"gpu":"NVIDIA H100 80GB HBM3","sm":90,"sm_count":132,"l2_bytes":52428800,)"
            R"("driver":"580.1","cuda_runtime":13000,"cublaslt":130000})"
            "\n";
  }

  /// A timed point. `metrics` may use the noisy time.
  void point(const std::string& group, Json params, double seconds, const std::function<void(Json&, double)>& metrics = {},
             const std::string& method = "graph") {
    const double measured = seconds * std::exp(noise_ * normal_(generator_));
    Json line = head(group, std::move(params));
    line.set("median_s", measured);
    line.set("noise", noise_);
    line.set("method", method);
    line.set("throttled", false);
    line.set("verified", true);
    Json values = Json::object();
    if (metrics) metrics(values, measured);
    line.set("metrics", std::move(values));
    text_ += line.dump() + "\n";
  }
  /// A point without a time.
  void fact(const std::string& group, Json params, Json metrics) {
    Json line = head(group, std::move(params));
    line.set("median_s", Json());
    line.set("verified", true);
    line.set("metrics", std::move(metrics));
    text_ += line.dump() + "\n";
  }
  void line(const std::string& text) { text_ += text + "\n"; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  static Json head(const std::string& group, Json params) {
    Json line = Json::object();
    line.set("kind", "point");
    line.set("group", group);
    line.set("key", params.dump());
    line.set("params", std::move(params));
    return line;
  }
  double noise_;
  std::mt19937_64 generator_;
  std::normal_distribution<double> normal_;
  std::string text_;
};

inline Json params_of(std::initializer_list<std::pair<const char*, Json>> fields) {
  Json json = Json::object();
  for (const auto& [name, value] : fields) json.set(name, value);
  return json;
}

inline void add_hbm(Results& results, const Truth& truth) {
  for (double bytes = 262144; bytes <= 4.3e9; bytes *= 2)
    for (const cost::TransferCurve& curve : {truth.read, truth.copy}) {
      const bool cold = bytes <= 268435456;
      results.point("hbm", params_of({{"op", curve.name}, {"bytes", bytes}, {"cache", cold ? "cold" : "warm"}}), curve.time(Bytes(bytes)).value(),
                    [&](Json& m, double) { m.set("bytes", bytes); }, cold ? "cold" : "graph");
    }
  const double gathered = 536870912;
  for (double page = 512; page <= 262144; page *= 2)
    results.point("hbm", params_of({{"op", "gather"}, {"page_bytes", page}, {"scatter_bytes", std::int64_t{4096} << 20}, {"bytes", gathered}}),
                  gathered / truth.gather.rate_of(Bytes(page)).value(), [&](Json& m, double) { m.set("bytes", gathered); });
  for (const std::int64_t stride : {16, 32, 64, 128})
    results.point("hbm", params_of({{"op", "strided_read"}, {"stride_bytes", stride}, {"reach_bytes", gathered}}), 1e-3,
                  [&](Json& m, double) { m.set("bytes", 3e9 * 16.0 / static_cast<double>(stride)); });
}

inline void add_l2(Results& results, const Truth& truth) {
  std::vector<double> sets;
  for (double mib = 2; mib <= 256; mib *= std::sqrt(2.0)) sets.push_back(std::round(mib) * 1048576);
  for (double mib = 20; mib <= 72; mib += 4) sets.push_back(mib * 1048576 + 65536);
  for (const double set : sets) {
    const double moved = 1e9;
    results.point("l2", params_of({{"op", "bandwidth"}, {"working_set_bytes", set}}), moved / truth.l2.rate_of(Bytes(set)).value(),
                  [&](Json& m, double) { m.set("bytes", moved); });
    results.point("l2", params_of({{"op", "latency"}, {"working_set_bytes", set}}), truth.l2.latency_of(Bytes(set)).value(),
                  [](Json& m, double seconds) { m.set("cycles_per_hop", seconds * 1.755e9); });
  }
  results.fact("l2", params_of({{"op", "slices"}}), params_of({{"near_cycles", 240.0}, {"far_cycles", 400.0}}));
}

inline void add_tlb(Results& results, const Truth& truth) {
  cost::TranslationReach tlb;
  if (truth.tlb_reach > 0.0) tlb.reach = Bytes(truth.tlb_reach);
  tlb.penalty = truth.tlb_penalty;
  for (double reach = 33554432; reach <= 6.9e10; reach *= std::sqrt(2.0)) {
    const double bytes = std::round(reach);
    results.point("tlb", params_of({{"op", "chase"}, {"stride_bytes", 2097152}, {"reach_bytes", static_cast<std::int64_t>(bytes)}}),
                  (truth.tlb_base + tlb.penalty_at(Bytes(bytes))).value(), [](Json& m, double s) { m.set("cycles_per_hop", s * 1.7e9); }, "own");
  }
  for (const std::int64_t lanes : {1, 8, 32})
    results.point("tlb", params_of({{"op", "lanes"}, {"lanes", lanes}, {"reach_bytes", std::int64_t{1} << 30}}),
                  400e-9 * (lanes == 1 ? 1.0 : lanes == 8 ? 955.0 / 762.0 : 1107.0 / 762.0), {}, "own");
}

inline void add_host_link(Results& results, const Truth& truth) {
  for (double bytes = 4096; bytes <= 1.1e9; bytes *= 2)
    results.point("host_link", params_of({{"direction", "d2h"}, {"bytes", bytes}, {"block_bytes", bytes}}), truth.d2h.time(Bytes(bytes)).value(),
                  [&](Json& m, double) { m.set("bytes", bytes); }, "stream");
}

inline void add_launch(Results& results, const Truth& truth) {
  results.point("launch", params_of({{"op", "launch_host"}, {"blocks", 1}, {"argument_bytes", 8}}), truth.host_launch.value(), {}, "own");
  results.point("launch", params_of({{"op", "stream_device"}, {"blocks", 1}, {"argument_bytes", 8}}), truth.kernel_gap.value());
  results.point("launch", params_of({{"op", "graph_node_device"}, {"blocks", 1}}), truth.graph_node.value());
  for (const int nodes : {1, 8, 32, 128, 512, 2048}) {
    results.point("launch", params_of({{"op", "graph_launch_and_wait"}, {"nodes", nodes}}), truth.graph_launch.value() + nodes * truth.graph_node.value(), {}, "own");
    results.point("launch", params_of({{"op", "graph_launch_host"}, {"nodes", nodes}}), truth.graph_host.value() + nodes * 1e-9, {}, "own");
  }
}

inline void add_overlap(Results& results, const Truth& truth) {
  results.point("overlap", params_of({{"op", "decode_beside_copy"}, {"copy", "d2h"}, {"block_bytes", 2097152}}), 1e-3, [&](Json& m, double) {
    m.set("step_slowdown", truth.kernel_slowdown);
    m.set("copy_slowdown", truth.copy_slowdown);
    m.set("step_covered", true);
    m.set("copy_covered", true);
    m.set("copy_alone_gb_per_s", 52.0);
  });
  Json series = Json::array(), power = Json::array();
  for (int i = 0; i < 8; ++i) {
    series.push_back(i < 2 ? 1900.0 : truth.sustained_clock_mhz);
    power.push_back(i == 5 ? Json() : Json(truth.power_w));
  }
  results.fact("overlap", params_of({{"op", "sustained"}, {"load", "matmul"}, {"seconds", 10.0}}),
               params_of({{"clock_mhz", series}, {"power_w", power}, {"sustained_rate_per_s", truth.sustained_flops},
                          {"burst_rate_per_s", 880e12}, {"work_unit", "flop"}}));
}

/// NCCL over two GPUs: 9 us and 200 GB/s.
inline void add_collective(Results& results) {
  for (double bytes = 1024; bytes <= 1.1e9; bytes *= 4)
    results.point("collective", params_of({{"what", "all_reduce"}, {"ranks", 2}, {"bytes", bytes}}), std::hypot(9e-6, bytes / 200e9));
}

inline void add_drift(Results& results) {
  // Batches of 2 change nothing; of 32, half of the rows by 0.06 nats; of 64, all rows by 0.08.
  const auto add = [&](int batch, int rows, double changed, double flipped, double delta) {
    results.fact("decode_step", params_of({{"what", "drift"}, {"model", "m"}, {"batch", batch}}),
                 params_of({{"rows", rows}, {"changed", changed}, {"changed_bf16", 0.5 * changed}, {"flipped", flipped}, {"top_two_reordered", 0.0},
                            {"delta_max", 0.3}, {"margin_median", 4.0}, {"margin_delta_median", delta}, {"margin_delta_p90", 2 * delta}}));
  };
  add(2, 256, 0.0, 0.0, 0.0);
  add(32, 256, 0.5, 0.01, 0.06);
  add(64, 256, 1.0, 0.02, 0.08);
}

inline void add_norm(Results& results, const Truth& truth) {
  for (const int threads : {256, 1024})
    for (const int tokens : {1, 8, 16, 512})
      results.point("norm", params_of({{"hidden", 4096}, {"block_threads", threads}, {"tokens", tokens}}), truth.norm_floor.value() * (tokens > 16 ? 3 : 1),
                    [&](Json& m, double) { m.set("row0_hash", threads == 256 ? "00aa" : "00bb"); });
}

inline const std::vector<std::pair<std::int64_t, std::int64_t>>& shapes() {
  static const std::vector<std::pair<std::int64_t, std::int64_t>> list{
      {6144, 4096}, {4096, 4096}, {28672, 4096}, {4096, 14336}, {12288, 4096}, {22016, 4096}, {4096, 11008}, {4608, 3584},
      {37888, 3584}, {3584, 18944}, {7168, 5120}, {34816, 5120}, {5120, 17408}, {1280, 8192}, {8192, 3584}, {128256, 4096}};
  return list;
}

/// Choices: split-K "k4" up to 16 rows, none from 17 on; under 1 KiB never split. Class 1 for the split rows.
inline void add_gemm(Results& results, const cost::GpuFacts& gpu) {
  const cost::GemmLaw law = cost::GemmLaw::of_type(cost::GemmType::bf16, gpu);
  const std::vector<std::int64_t> grid{1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024, 2048, 4096, 8192};
  const std::string split = "66/t23/s37/k4/r2/w0/c0/i0/g5", whole = "66/t23/s37/k1/r0/w0/c0/i0/g5";
  for (const auto& [n, k] : shapes()) {
    for (const std::int64_t workspace : {std::int64_t{1024}, std::int64_t{33554432}}) {
      const bool splits = workspace > 1024;
      Json runs = Json::array(), tactics = Json::array(), bit_runs = Json::array(), classes = Json::array();
      tactics.push_back(params_of({{"tactic", splits ? split : whole}, {"algo", 66}}));
      if (splits) tactics.push_back(params_of({{"tactic", whole}, {"algo", 66}}));
      const std::vector<std::int64_t> first{1, 16, 0}, second{17, 512, 1}, all{1, 512, 0};
      runs.push_back(Json::array_of(splits ? first : all));
      if (splits) runs.push_back(Json::array_of(second));
      results.fact("gemm", params_of({{"what", "choice"}, {"dtype", "bf16"}, {"n", n}, {"k", k}, {"workspace", workspace}}),
                   params_of({{"runs", runs}, {"tactics", tactics}}));
      bit_runs.push_back(Json::array_of(std::vector<std::int64_t>{1, splits ? 16 : 512, 0, 0}));
      if (splits) bit_runs.push_back(Json::array_of(std::vector<std::int64_t>{17, 512, 1, 1}));
      classes.push_back(params_of({{"hash", "ab"}, {"changed", 0.0}, {"ulps", 0.0}, {"delta_max", 0.0}}));
      if (splits) classes.push_back(params_of({{"hash", "cd"}, {"changed", 3e-4}, {"ulps", 1.0}, {"delta_max", 0.0078}}));
      results.fact("gemm_bits", params_of({{"dtype", "bf16"}, {"n", n}, {"k", k}, {"workspace", workspace}}), params_of({{"runs", bit_runs}, {"classes", classes}}));
    }
    for (const std::int64_t m : grid) {
      if (m * n > (std::int64_t{1} << 28)) continue;
      for (const bool splits : {true, false}) {
        if (splits && m > 16) continue;
        const double seconds = law.time(static_cast<double>(m), static_cast<double>(n), static_cast<double>(k), gpu).value() * (!splits && m <= 16 ? 1.2 : 1.0);
        Json chosen = Json::array();
        if (!splits) chosen.push_back(1024.0);
        if (splits || m > 16) chosen.push_back(33554432.0);
        results.point("gemm", params_of({{"what", "time"}, {"dtype", "bf16"}, {"n", n}, {"k", k}, {"m", m}, {"tactic", splits ? split : whole}}), seconds,
                      [&](Json& metrics, double) { metrics.set("chosen_by", chosen); });
      }
    }
  }
}

inline void add_attention(Results& results, const cost::GpuFacts& gpu) {
  const cost::DecodeLaw decode;
  const cost::PrefillLaw prefill;
  const std::vector<std::pair<std::int64_t, std::int64_t>> heads{{32, 8}, {8, 1}, {32, 32}, {28, 4}, {40, 8}};
  for (const auto& [q, kv] : heads) {
    const cost::AttentionHeads h{q, kv, 128};
    for (std::int64_t batch = 1; batch <= 256; batch *= 4)
      for (std::int64_t context = 128; context <= 32768; context *= 2) {
        if (batch * context > 524288) continue;
        const double bytes = 4.0 * static_cast<double>(batch * context * kv * 128), sets = 8.0, l2 = 52428800.0;
        const bool cold = bytes * sets > 1.5 * l2;
        const std::int64_t splits = std::min<std::int64_t>(std::max<std::int64_t>((264 + batch * kv - 1) / (batch * kv), 1), 32);
        const double seconds = decode.time(static_cast<double>(batch), static_cast<double>(context), h, cost::KvType::bf16,
                                           cold ? cost::KvResidency::cold : cost::KvResidency::warm, gpu).value();
        const Json p = params_of({{"what", "decode"}, {"heads_q", q}, {"heads_kv", kv}, {"head_size", 128}, {"batch", batch}, {"context", context},
                                  {"splits", splits}, {"scatter", "random"}, {"l2", "rotated"}, {"ragged", false}});
        results.point("attention", p, seconds, [&](Json& m, double) { m.set("kv_bytes", bytes); m.set("sets", sets); });
      }
    for (std::int64_t tokens = 128; tokens <= 4096; tokens *= 2)
      for (const std::int64_t prefix : {0, 2048}) {
        const Json p = params_of({{"what", "prefill"}, {"heads_q", q}, {"heads_kv", kv}, {"head_size", 128}, {"queries", tokens}, {"prefix", prefix}});
        results.point("attention", p, prefill.time(cost::PrefillWork::chunk(tokens, prefix), h, cost::KvType::bf16, gpu).value());
      }
  }
}

}  // namespace brink::calibrate::synthetic
