// One run as asked for by the command line or by a frame of the run server.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/base/error.h"
#include "models/base/json.h"
#include "models/base/units.h"

namespace brink::app {

/// The result folder cannot be what was asked for.
class OutputError : public Error {
 public:
  using Error::Error;
};

/// Throws OutputError when something other than an earlier result or an empty folder is at
/// `dir`: found out before the run, not after it.
void check_result_folder(const std::string& dir);

/// Payload of an 'R' frame.
struct RunRequest {
  Json scenario;
  std::string base_dir;
  std::vector<std::string> settings;
  std::optional<std::uint64_t> seed;
  std::optional<std::string> out;      // also write the result folder there
  Seconds progress_interval{0.2};
  bool files = true;                   // send the result files back
  std::string name = "scenario";       // of a scenario without /name
};

/// Throws ConfigError for text that is no such request.
[[nodiscard]] RunRequest read_run_request(const std::string& payload);

}  // namespace brink::app
