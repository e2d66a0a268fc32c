#pragma once

#include <cstdint>
#include <istream>
#include <vector>

namespace brink::kernels {

struct TraceRequest {
  double arrival_s;
  int input_tokens;
  int output_tokens;
};

/// Poisson arrivals with log-normal lengths, keyed by the seed alone.
struct PoissonTrace {
  double rate_per_s = 8;
  double duration_s = 12;
  double input_median = 512;
  double input_sigma = 0.8;
  double output_median = 128;
  double output_sigma = 0.6;
  int input_max = 4096;
  int output_max = 512;
  std::uint64_t seed = 1;
};
std::vector<TraceRequest> make_trace(const PoissonTrace& spec);

/// CSV with the header arrival_s,input_tokens,output_tokens. Sorted by arrival. Throws std::invalid_argument naming
/// the line of a row that is malformed, negative or empty of tokens.
std::vector<TraceRequest> read_trace(std::istream& csv);

}  // namespace brink::kernels
