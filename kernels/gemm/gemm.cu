#include "kernels/gemm/gemm.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <set>
#include <string>

#include "kernels/gemm/bit_classes.h"
#include "kernels/gemm/linear_bench.h"
#include "kernels/gemm/rows.h"
#include "kernels/gemm/run_length.h"
#include "kernels/runner/session.h"

namespace brink::kernels {

namespace {

constexpr std::int64_t output_max = std::int64_t{1} << 28;   // 512 MiB of bf16: larger products teach nothing new
constexpr std::int64_t arena_bytes = std::int64_t{3} << 29;  // 1.5 GiB: the largest weight is 1.05 GB
constexpr int alternatives_max = 200;
constexpr int alternatives_each = 4;

MeasureOptions quick() {
  MeasureOptions options;
  options.sample_min_s = 200e-6;
  options.warm_up_s = 1e-3;
  options.stop.samples_max = 60;
  options.stop.time_max_s = 0.03;  // thousands of points: 0.5 % where it settles, a few per cent where it does not
  return options;
}

/// One timed point: a product, the algorithm, and where the algorithm came from.
struct Work {
  std::int64_t m;
  Candidate candidate;
  std::int64_t workspace;               // it was offered under
  std::vector<std::int64_t> chosen_by;  // workspaces whose first choice it is
};

class GemmGroup {
 public:
  explicit GemmGroup(Session& session)
      : session_(session), bench_(gemm_row_grid().back(), output_max, arena_bytes, session.stream()) {}

  void run() {
    for (const Precision precision : {Precision::bf16, Precision::e4m3}) {
      for (const GemmShape& shape : gemm_shapes()) map_choices(precision, shape);
    }
    for (const Precision precision : {Precision::bf16, Precision::e4m3}) {
      for (const GemmShape& shape : gemm_shapes()) time_grid(precision, shape);
    }
    for (const GemmShape& shape : gemm_shapes()) time_alternatives(shape);
    for (const Precision precision : {Precision::bf16, Precision::e4m3}) {
      for (const GemmShape& shape : gemm_shapes()) time_changes(precision, shape);
    }
  }

 private:
  using Choices = std::vector<Candidate>;  // by m - 1; tactic.id -1 where nothing fits

  static JsonObject about(const char* what, Precision precision, const GemmShape& shape) {
    JsonObject params;
    return params.set("what", what).set("dtype", precision_name(precision)).set("n", shape.n).set("k", shape.k);
  }

  /// Asked once a run for each precision, shape and workspace.
  const Choices& ask(Precision precision, const GemmShape& shape, std::int64_t workspace) {
    Choices& choices = asked_[about("choice", precision, shape).set("workspace", workspace).key()];
    if (!choices.empty()) return choices;
    Choices asked(gemm_rows_max);
    for (std::int64_t m = 1; m <= gemm_rows_max; ++m) {
      const auto found = bench_.linear(m, shape)->candidates(workspace, 1);
      if (!found.empty()) asked[static_cast<std::size_t>(m - 1)] = found.front();
    }
    choices = std::move(asked);
    return choices;
  }

  void map_choices(Precision precision, const GemmShape& shape) {
    bench_.use(precision);
    for (const std::int64_t workspace : gemm_workspaces()) {
      const JsonObject params = about("choice", precision, shape).set("workspace", workspace);
      session_.point(params, [&](PointResult& result) {
        const auto start = std::chrono::steady_clock::now();
        std::vector<Tactic> tactics;
        for (const Candidate& candidate : ask(precision, shape, workspace)) tactics.push_back(candidate.tactic);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        result.metrics = tactic_map(tactics);
        result.metrics.set("why", shape.why).set("host_us_each", took.count() * 1e6 / gemm_rows_max);
      });
    }
  }

  void time_grid(Precision precision, const GemmShape& shape) {
    bench_.use(precision);
    for (const std::int64_t m : gemm_row_grid()) {
      if (m * shape.n > output_max || cut_short("time", precision, shape)) continue;
      const auto matmul = bench_.linear(m, shape);
      std::vector<Work> work;
      for (const std::int64_t workspace : gemm_workspaces()) {
        const auto found = matmul->candidates(workspace, 1);
        if (found.empty()) continue;
        const auto same = std::find_if(work.begin(), work.end(),
                                       [&](const Work& w) { return w.candidate.tactic == found.front().tactic; });
        if (same != work.end()) {
          same->chosen_by.push_back(workspace);
        } else {
          work.push_back({m, found.front(), workspace, {workspace}});
        }
      }
      for (const Work& one : work) time(precision, shape, one);
    }
  }

  void time_changes(Precision precision, const GemmShape& shape) {
    bench_.use(precision);
    if (cut_short("change", precision, shape)) return;
    for (const std::int64_t workspace : gemm_workspaces()) {
      const Choices& choices = ask(precision, shape, workspace);
      std::vector<Tactic> tactics;
      for (const Candidate& candidate : choices) tactics.push_back(candidate.tactic);
      for (const Run& run : run_lengths(tactics, 1)) {
        if (choices[run.value_at].tactic.id < 0) continue;
        time(precision, shape, {run.first, choices[run.value_at], workspace, {workspace}});
      }
    }
  }

  void time_alternatives(const GemmShape& shape) {
    bench_.use(Precision::bf16);
    for (const std::int64_t m : {std::int64_t{16}, std::int64_t{128}}) {
      if (cut_short("alternative", Precision::bf16, shape)) return;
      const std::int64_t workspace = gemm_workspaces().back();
      int taken = 0;
      for (const Candidate& candidate : bench_.linear(m, shape)->candidates(workspace, 2 * alternatives_each)) {
        if (taken >= alternatives_each || alternatives_ >= alternatives_max) break;
        if (timed_.count(key(Precision::bf16, shape, m, candidate.tactic)) > 0) continue;
        time(Precision::bf16, shape, {m, candidate, workspace, {}});
        ++taken;
        ++alternatives_;
      }
    }
  }

  /// Whether time is up: then the runner is told that points of this kind are left, without asking which.
  bool cut_short(const char* what, Precision precision, const GemmShape& shape) {
    if (!session_.out_of_time()) return false;
    session_.point(about(what, precision, shape), [](PointResult&) {});
    return true;
  }

  static std::string key(Precision precision, const GemmShape& shape, std::int64_t m, const Tactic& tactic) {
    return about("time", precision, shape).set("m", m).set("tactic", tactic_name(tactic)).key();
  }

  void time(Precision precision, const GemmShape& shape, const Work& work) {
    // The same algorithm offered under several workspaces is one point, whichever pass meets it first.
    if (!timed_.insert(key(precision, shape, work.m, work.candidate.tactic)).second) return;
    const JsonObject params =
        about("time", precision, shape).set("m", work.m).set("tactic", tactic_name(work.candidate.tactic));
    session_.point(params, [&](PointResult& result) {
      const auto matmul = bench_.linear(work.m, shape);
      bench_.verify(*matmul, work.candidate, work.m, shape, work.workspace);
      result.verified = true;
      result.time(session_.measure(quick(), [&](cudaStream_t stream, int iteration) {
        bench_.run(*matmul, work.candidate, shape, work.workspace, iteration, stream);
      }));
      result.metrics = tactic_json(work.candidate.tactic);
      result.metrics.set("chosen_by", work.chosen_by).set("waves", work.candidate.waves);
      const double seconds = result.timing.seconds.median_s;
      const double flops = 2.0 * static_cast<double>(work.m) * static_cast<double>(shape.n * shape.k);
      result.metrics.set("tflops", flops / seconds * 1e-12);
    });
  }

  Session& session_;
  LinearBench bench_;
  std::map<std::string, Choices> asked_;
  std::set<std::string> timed_;
  int alternatives_ = 0;
};

/// Row 0 of every m at one shape and workspace: launches only, one synchronisation at the end.
class BitsSweep {
 public:
  BitsSweep(Session& session, LinearBench& bench)
      : session_(session), bench_(bench), signatures_(gemm_rows_max), alone_(128256) {}

  /// Signatures by m - 1; `tactics` receives what was chosen. `flip` swaps the two sets of neighbour rows.
  std::vector<RowSignature> sweep(const GemmShape& shape, std::int64_t workspace, const std::vector<std::int64_t>& rows,
                                  bool flip, std::vector<Tactic>& tactics) {
    const cudaStream_t stream = session_.stream();
    const std::size_t row_bytes = static_cast<std::size_t>(shape.n) * 2;
    BRINK_CUDA_CHECK(cudaMemsetAsync(signatures_.get(), 0, signatures_.bytes(), stream));
    tactics.assign(gemm_rows_max, Tactic());
    for (const std::int64_t m : rows) {
      const auto matmul = bench_.linear(m, shape);
      const auto found = matmul->candidates(workspace, 1);
      if (found.empty()) continue;
      tactics[static_cast<std::size_t>(m - 1)] = found.front().tactic;
      // Other neighbours at odd and even m: bits that depended on what the other rows hold would show.
      bench_.choose_neighbours(static_cast<int>((m + (flip ? 1 : 0)) % 2));
      BRINK_CUDA_CHECK(cudaMemsetAsync(bench_.output(), 0xFF, row_bytes, stream));
      bench_.run(*matmul, found.front(), shape, workspace, 0, stream);
      if (m == 1 && !flip) {
        BRINK_CUDA_CHECK(cudaMemcpyAsync(alone_.get(), bench_.output(), row_bytes, cudaMemcpyDeviceToDevice, stream));
      }
      sign_row(bench_.output(), alone_.get(), static_cast<int>(shape.n), signatures_.get() + (m - 1), stream);
    }
    bench_.choose_neighbours(0);
    return signatures_.to_host(stream);
  }

 private:
  Session& session_;
  LinearBench& bench_;
  DeviceArray<RowSignature> signatures_;
  DeviceArray<std::uint16_t> alone_;
};

void measure_bits(LinearBench& bench, BitsSweep& sweep, const GemmShape& shape, std::int64_t workspace,
                  PointResult& result) {
  std::vector<std::int64_t> all;
  for (std::int64_t m = 1; m <= gemm_rows_max; ++m) all.push_back(m);
  bench.make_neighbours(gemm_rows_max, shape.k);
  std::vector<Tactic> tactics;
  const auto rows = sweep.sweep(shape, workspace, all, false, tactics);
  if (tactics.front().id < 0) throw std::runtime_error("no algorithm for one row: nothing to compare with");
  std::vector<RowAt> map;
  for (std::size_t i = 0; i < rows.size(); ++i) map.push_back({tactics[i], rows[i]});
  result.metrics = bit_class_map(map, shape.n);
  result.metrics.set("why", shape.why);

  std::vector<std::int64_t> again;
  for (const std::int64_t m : gemm_row_grid()) {
    if (m <= gemm_rows_max) again.push_back(m);
  }
  std::vector<Tactic> unused;
  const auto repeated = sweep.sweep(shape, workspace, again, true, unused);
  std::int64_t different = 0;
  for (const std::int64_t m : again) {
    const auto i = static_cast<std::size_t>(m - 1);
    if (tactics[i].id >= 0 && repeated[i].hash != rows[i].hash) ++different;
  }
  // Not zero: an algorithm that is not repeatable (atomic adds), or bits that depend on the neighbours' values.
  result.metrics.set("checked_again", static_cast<std::int64_t>(again.size())).set("differed_again", different);
  result.verified = true;
}

}  // namespace

void run_gemm(Session& session) { GemmGroup(session).run(); }

void run_gemm_bits(Session& session) {
  LinearBench bench(gemm_rows_max, gemm_rows_max * std::int64_t{128256}, std::int64_t{128256} * 4096 * 2,
                    session.stream());
  BitsSweep sweep(session, bench);
  for (const Precision precision : {Precision::bf16, Precision::e4m3}) {
    bench.use(precision);
    for (const GemmShape& shape : gemm_shapes()) {
      for (const std::int64_t workspace : gemm_workspaces()) {
        JsonObject params;
        params.set("dtype", precision_name(precision)).set("n", shape.n).set("k", shape.k);
        params.set("workspace", workspace);
        session.point(params, [&](PointResult& result) { measure_bits(bench, sweep, shape, workspace, result); });
      }
    }
  }
}

}  // namespace brink::kernels
