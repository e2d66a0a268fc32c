#include "kernels/decode_step/trace.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "kernels/device/numbers.h"

namespace brink::kernels {

namespace {

/// Uniform on (0, 1], keyed.
double keyed_uniform(std::uint64_t seed, std::uint64_t index) {
  return (static_cast<double>(mix64(seed ^ mix64(index)) >> 11) + 1.0) * 0x1p-53;
}

/// Standard normal by Box and Muller (1958).
double keyed_gaussian(std::uint64_t seed, std::uint64_t index) {
  const double radius = std::sqrt(-2.0 * std::log(keyed_uniform(seed, 2 * index)));
  return radius * std::cos(6.283185307179586 * keyed_uniform(seed, 2 * index + 1));
}

int log_normal(double median, double sigma, double gaussian, int max) {
  const double value = std::round(median * std::exp(sigma * gaussian));
  return static_cast<int>(std::clamp(value, 1.0, static_cast<double>(max)));
}

}  // namespace

std::vector<TraceRequest> make_trace(const PoissonTrace& spec) {
  std::vector<TraceRequest> trace;
  double at = 0;
  for (std::uint64_t i = 0;; ++i) {
    at -= std::log(keyed_uniform(spec.seed, i)) / spec.rate_per_s;
    if (!(at < spec.duration_s)) return trace;
    trace.push_back(
        {at, log_normal(spec.input_median, spec.input_sigma, keyed_gaussian(~spec.seed, 2 * i), spec.input_max),
         log_normal(spec.output_median, spec.output_sigma, keyed_gaussian(~spec.seed, 2 * i + 1), spec.output_max)});
  }
}

std::vector<TraceRequest> read_trace(std::istream& csv) {
  std::string line;
  if (!std::getline(csv, line) || line.rfind("arrival_s,input_tokens,output_tokens", 0) != 0) {
    throw std::invalid_argument("trace: line 1 must be arrival_s,input_tokens,output_tokens");
  }
  std::vector<TraceRequest> trace;
  for (int number = 2; std::getline(csv, line); ++number) {
    if (line.empty() || line == "\r") continue;
    TraceRequest r = {};
    char rest = 0;
    const int fields =
        std::sscanf(line.c_str(), "%lf,%d,%d %c", &r.arrival_s, &r.input_tokens, &r.output_tokens, &rest);
    if (fields != 3 || !std::isfinite(r.arrival_s) || r.arrival_s < 0 || r.input_tokens < 1 || r.output_tokens < 1) {
      throw std::invalid_argument("trace: line " + std::to_string(number) +
                                  " is not a time and two token counts: " + line);
    }
    trace.push_back(r);
  }
  std::stable_sort(trace.begin(), trace.end(),
                   [](const TraceRequest& a, const TraceRequest& b) { return a.arrival_s < b.arrival_s; });
  return trace;
}

}  // namespace brink::kernels
