#include "kernels/runner/options.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace brink::kernels {
namespace {

double positive_number(const std::string& option, const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value) || value <= 0) {
    throw UsageError(option + " takes a number above 0, not '" + text + "'");
  }
  return value;
}

int index_number(const std::string& option, const std::string& text) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < 0 || value > 1024) {
    throw UsageError(option + " takes an index from 0, not '" + text + "'");
  }
  return static_cast<int>(value);
}

std::vector<std::string> chosen_groups(const std::string& text, const std::vector<std::string>& known) {
  std::vector<std::string> asked;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    asked.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  for (const std::string& name : asked) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string all;
    for (const std::string& k : known) all += (all.empty() ? "" : ", ") + k;
    throw UsageError("no group '" + name + "'; there are " + all);
  }
  std::vector<std::string> chosen;
  for (const std::string& name : known) {
    if (std::find(asked.begin(), asked.end(), name) != asked.end()) chosen.push_back(name);
  }
  return chosen;
}

}  // namespace

Options parse_options(const std::vector<std::string>& arguments, const std::vector<std::string>& known) {
  Options options;
  options.groups = known;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const auto value = [&]() -> const std::string& {
      if (i + 1 >= arguments.size()) throw UsageError(argument + " needs a value");
      return arguments[++i];
    };
    if (argument == "--groups") {
      options.groups = chosen_groups(value(), known);
    } else if (argument == "--budget-s") {
      options.budget_s = positive_number(argument, value());
    } else if (argument == "--out") {
      options.out = value();
    } else if (argument == "--device") {
      options.device = index_number(argument, value());
    } else if (argument == "--resume") {
      options.resume = true;
    } else if (argument == "--retry-failed") {
      options.retry_failed = true;
    } else if (argument == "--in-process") {
      options.in_process = true;
    } else if (argument == "--list") {
      options.list = true;
    } else if (argument == "--help" || argument == "-h") {
      options.help = true;
    } else {
      throw UsageError("unknown argument '" + argument + "'");
    }
  }
  if (options.out.empty()) throw UsageError("--out needs a file name");
  return options;
}

std::string usage() {
  return "Measures this machine's GPU and appends one JSON line a point.\n"
         "\n"
         "brink-kernels [--groups a,b,...] [--budget-s 500] [--out results.jsonl] [--resume]\n"
         "\n"
         "  --groups a,b      only these groups (default: all; --list names them)\n"
         "  --budget-s S      start no point after S seconds (default 500)\n"
         "  --out FILE        JSON Lines, appended to (default results.jsonl)\n"
         "  --resume          go on in FILE: points that are in it are not measured again\n"
         "  --retry-failed    with --resume, measure points again that failed\n"
         "  --device N        CUDA device (default 0)\n"
         "  --in-process      no supervising parent process: for compute-sanitizer and debuggers\n"
         "  --list            name the groups and what each asks; needs no GPU\n";
}

}  // namespace brink::kernels
