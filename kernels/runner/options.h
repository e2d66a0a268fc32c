#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace brink::kernels {

/// The command line is wrong; the message says how.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Options {
  std::vector<std::string> groups;  ///< in the order of the table, whatever order was asked for
  std::string out = "results.jsonl";
  double budget_s = 500;
  int device = 0;
  bool resume = false;
  bool retry_failed = false;
  bool in_process = false;  ///< no supervising parent: for debuggers and compute-sanitizer
  bool list = false;
  bool help = false;
};

/// Reads argv[1..]. `known` are the names of the groups; without --groups all of them run.
Options parse_options(const std::vector<std::string>& arguments, const std::vector<std::string>& known);

std::string usage();

}  // namespace brink::kernels
