#include "calibrate/microkernel/memory_groups.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "calibrate/microkernel/memory_fit.h"
#include "models/base/error.h"

namespace brink::calibrate {
namespace {

constexpr double kFarFromL2 = 4.0;      // a warm stream this many times the L2 finds nothing of itself there
constexpr std::int64_t kTlbStride = std::int64_t{2} << 20;  // one line a page of 2 MiB, the driver's page size
constexpr double kLinkSlack = 1.05;     // a data-sheet rate is rounded

/// Where fits put what they found.
struct Output {
  std::vector<ValidationRow>& comparisons;
  std::vector<std::string>& notes;

  /// Runs a fit; too few points become a note.
  template <class Fit>
  void attempt(const std::string& what, const Fit& fit) const {
    try {
      fit();
    } catch (const TraceError&) {
      throw;
    } catch (const Error& error) {
      notes.push_back(fmt::format("{}: not fitted ({})", what, error.what()));
    }
  }
};

/// Seconds that an empty pair of events adds to a cold timing.
Seconds event_floor(const MicrokernelResults& results) {
  Seconds floor(0.0);
  results.each("launch", [&](const ResultPoint& point, ObjectReader& params, ObjectReader&) {
    if (params.string("op") == "event_pair_empty" && point.timed) floor = point.median;
  });
  return floor;
}

void fit_streams(const MicrokernelResults& results, const cost::GpuFacts& gpu, cost::MemoryCurves& memory, const Output& out) {
  const Seconds floor = event_floor(results);
  std::map<std::string, Curve> curves;
  results.each("hbm", [&](const ResultPoint& point, ObjectReader& params, ObjectReader& metrics) {
    const std::string op = params.string("op");
    if (!point.timed || (op != "read" && op != "write" && op != "copy" && op != "triad")) return;
    const double bytes = metrics.number("bytes", Range::positive("B"));
    const bool cold = params.choice("cache", {"cold", "warm"}) == "cold";
    if (!cold && bytes < kFarFromL2 * gpu.l2_size.value()) return;
    // A cold timing is one launch between two events.
    const Seconds time = cold && floor < point.median * 0.5 ? point.median - floor : point.median;
    curves[op].push_back({bytes, time.value()});
  });
  for (const auto& [op, points] : curves) {
    out.attempt("hbm " + op, [&, &name = op, &curve = points] {
      memory.hbm.push_back(fit_transfer(name, curve, gpu.hbm_peak));
      compare_curve("hbm_" + name, "latency_us", 1e-6, sorted(curve), [&](const Curve& part) -> Predictor {
        const cost::TransferCurve fitted = fit_transfer(name, part, gpu.hbm_peak);
        return [fitted](double x) { return fitted.time(Bytes(x)).value(); };
      }, out.comparisons);
    });
  }
}

void fit_gathers(const MicrokernelResults& results, const cost::GpuFacts& gpu, cost::MemoryCurves& memory, const Output& out) {
  std::map<std::int64_t, Curve> by_scatter;
  results.each("hbm", [&](const ResultPoint& point, ObjectReader& params, ObjectReader& metrics) {
    const std::string op = params.string("op");
    if (!point.timed) return;
    const BytesPerSecond useful(metrics.number("bytes", Range::positive("B")) / point.median.value());
    if (op == "strided_read") memory.strided.push_back({params.integer("stride_bytes", Range::at_least(1)), useful});
    if (op == "gather") by_scatter[params.integer("scatter_bytes", Range::at_least(0))].push_back({params.number("page_bytes", Range::positive("B")), useful.value()});
  });
  std::sort(memory.strided.begin(), memory.strided.end(), [](const auto& a, const auto& b) { return a.stride_bytes < b.stride_bytes; });
  for (const auto& [scatter, points] : by_scatter) {
    // 0: pages in order. Larger windows: pages drawn from that much memory.
    const std::string name = scatter == 0 ? "in_order" : fmt::format("scattered_{}_mib", scatter >> 20);
    out.attempt("hbm gather " + name, [&, &curve = points] {
      memory.gather.push_back(fit_gather(name, curve, gpu.hbm_peak));
      compare_curve("hbm_gather", "gb_per_s", 1e9, sorted(curve), [&](const Curve& part) -> Predictor {
        const cost::GatherCurve fitted = fit_gather(name, part, gpu.hbm_peak);
        return [fitted](double x) { return fitted.rate_of(Bytes(x)).value(); };
      }, out.comparisons);
    });
  }
}

void fit_l2(const MicrokernelResults& results, const cost::GpuFacts& gpu, cost::MemoryCurves& memory, const Output& out) {
  Curve rates, latencies;
  results.each("l2", [&](const ResultPoint& point, ObjectReader& params, ObjectReader& metrics) {
    const std::string op = params.choice("op", {"bandwidth", "latency", "slices"});
    if (!point.timed || op == "slices") return;
    const double set = params.number("working_set_bytes", Range::positive("B"));
    if (op == "bandwidth") rates.push_back({set, metrics.number("bytes", Range::positive("B")) / point.median.value()});
    if (op == "latency") latencies.push_back({set, point.median.value()});  // of one hop, by the device's timer
  });
  if (rates.empty() && latencies.empty()) return;
  out.attempt("l2", [&] {
    rates = sorted(rates);
    latencies = sorted(latencies);
    memory.l2 = fit_knee(rates, latencies, gpu.l2_size);
    compare_curve("l2_bandwidth", "gb_per_s", 1e9, rates, [&](const Curve& part) -> Predictor {
      const cost::CacheKnee fitted = fit_knee(part, {}, gpu.l2_size);
      return [fitted](double x) { return fitted.rate_of(Bytes(x)).value(); };
    }, out.comparisons);
    if (latencies.size() < 6) return;
    compare_curve("l2_latency", "latency_ns", 1e-9, latencies, [&](const Curve& part) -> Predictor {
      const cost::CacheKnee fitted = fit_knee(rates, part, gpu.l2_size);
      return [fitted](double x) { return fitted.latency_of(Bytes(x)).value(); };
    }, out.comparisons);
  });
}

std::vector<cost::TranslationReach::Lanes> lane_factors(const std::map<std::int64_t, std::map<std::int64_t, double>>& by_reach, Bytes l2) {
  // In memory rather than in L2: the largest reach that is measured at one lane.
  for (auto it = by_reach.rbegin(); it != by_reach.rend(); ++it) {
    const auto one = it->second.find(1);
    if (one == it->second.end() || static_cast<double>(it->first) < kFarFromL2 * l2.value()) continue;
    std::vector<cost::TranslationReach::Lanes> lanes;
    for (const auto& [count, seconds] : it->second) lanes.push_back({count, seconds / one->second});
    return lanes;
  }
  return {};
}

void fit_tlb(const MicrokernelResults& results, const cost::GpuFacts& gpu, cost::MemoryCurves& memory, const Output& out) {
  Curve chase, random;
  std::map<std::int64_t, std::map<std::int64_t, double>> lanes;  // by reach and lanes
  results.each("tlb", [&](const ResultPoint& point, ObjectReader& params, ObjectReader& metrics) {
    const std::string op = params.choice("op", {"chase", "lanes", "random_read"});
    const std::int64_t reach = params.integer("reach_bytes", Range::at_least(1));
    if (!point.timed) return;
    if (op == "random_read") {
      random.push_back({static_cast<double>(reach), 1.0 / metrics.number("reads_per_s", Range::positive())});
      return;
    }
    const double hop = point.median.value();
    if (op == "lanes") lanes[reach][params.integer("lanes", Range::between(1, 32))] = hop;
    else if (params.integer("stride_bytes", Range::at_least(1)) == kTlbStride) chase.push_back({static_cast<double>(reach), hop});
  });
  const auto compare = [&](const std::string& group, const std::string& metric, const Curve& points) {
    compare_curve(group, metric, 1e-9, points, [](const Curve& part) -> Predictor {
      const cost::TranslationReach fitted = fit_reach(part);
      return [fitted](double x) { return (fitted.base + fitted.penalty_at(Bytes(x))).value(); };
    }, out.comparisons);
  };
  if (!chase.empty()) out.attempt("tlb", [&] {
    memory.tlb = fit_reach(chase);
    memory.tlb->lanes = lane_factors(lanes, gpu.l2_size);
    compare("tlb_chase", "latency_ns", sorted(chase));
  });
  if (!random.empty()) out.attempt("random reads", [&] {
    memory.random_reads = fit_reach(random);
    compare("tlb_random_reads", "ns_per_read", sorted(random));
  });
}

void fit_host_link(const MicrokernelResults& results, BytesPerSecond peak, cost::MemoryCurves& memory, const Output& out) {
  std::map<std::string, Curve> whole, blocks;
  results.each("host_link", [&](const ResultPoint& point, ObjectReader& params, ObjectReader& metrics) {
    const std::string direction = params.choice("direction", {"h2d", "d2h", "both"});
    const double bytes = params.number("bytes", Range::positive("B")), block = params.number("block_bytes", Range::positive("B"));
    if (!point.timed) return;
    const double moved = metrics.number("bytes", Range::positive("B"));
    if (block >= bytes) whole[direction].push_back({moved, point.median.value()});
    else blocks[direction].push_back({block, moved / point.median.value()});
  });
  const auto rate_max = [&](const std::string& direction) { return peak * (kLinkSlack * (direction == "both" ? 2.0 : 1.0)); };
  for (const auto& [direction, points] : whole) {
    out.attempt("host link " + direction, [&, &name = direction, &curve = points] {
      memory.host_link.push_back(fit_transfer(name, curve, rate_max(name)));
      compare_curve("host_link_" + name, "latency_us", 1e-6, sorted(curve), [&](const Curve& part) -> Predictor {
        const cost::TransferCurve fitted = fit_transfer(name, part, rate_max(name));
        return [fitted](double x) { return fitted.time(Bytes(x)).value(); };
      }, out.comparisons);
    });
  }
  for (const auto& [direction, points] : blocks) {
    out.attempt("host link blocks " + direction, [&, &name = direction, &curve = points] {
      memory.gather.push_back(fit_gather("host_link_" + name, curve, rate_max(name)));
    });
  }
}

}  // namespace

cost::MemoryCurves fit_memory(const MicrokernelResults& results, const cost::GpuFacts& gpu, BytesPerSecond host_link_peak,
                              std::vector<ValidationRow>& comparisons, std::vector<std::string>& notes) {
  const Output out{comparisons, notes};
  cost::MemoryCurves memory;
  fit_streams(results, gpu, memory, out);
  fit_gathers(results, gpu, memory, out);
  fit_l2(results, gpu, memory, out);
  fit_tlb(results, gpu, memory, out);
  fit_host_link(results, host_link_peak, memory, out);
  return memory;
}

}  // namespace brink::calibrate
