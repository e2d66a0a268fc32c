// Results of the microkernel runner: JSON Lines, one header and then one line a point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/base/json.h"
#include "models/base/object_reader.h"
#include "models/base/units.h"

namespace brink::calibrate {

/// The machine a file was measured on, from its header line.
struct ResultsHeader {
  std::string gpu;
  std::int64_t sm_count = 0;
  Bytes l2{0.0};
  Json document;  ///< the whole line: versions, clocks, power limit
};

/// One measured point. `params` say what was asked, `metrics` what came out besides a time.
struct ResultPoint {
  std::string group, key;
  Json params, metrics;
  bool timed = false;
  Seconds median{0.0};
  double noise = 0.0;      ///< relative standard error of the median
  bool throttled = false;  ///< the clock was held back during the samples
  std::string method;      ///< "graph", "stream" or "cold"
  std::size_t line = 0;
};

/// A results file. Points of one group keep the order of the file; of a point measured twice the last line
/// counts, in the place of the first.
class MicrokernelResults {
 public:
  /// Reads a file, plain or gzip-compressed. A last line that a killed run left unfinished is left
  /// out with a note. Throws TraceError with the line number for any other line that is no JSON object or lacks
  /// a field, for an unknown kind or group (with the nearest), a time that is not positive, a missing
  /// header, another schema version, or a second GPU type.
  static MicrokernelResults read(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const ResultsHeader& header() const { return header_; }
  [[nodiscard]] const std::vector<ResultPoint>& group(std::string_view name) const;
  [[nodiscard]] std::size_t points() const;
  /// "hbm: 3 points failed: <the first reason>", "the last line is unfinished", ...
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

  /// Calls `read(params, metrics)` for every point of a group; a ConfigError becomes a TraceError with the
  /// file and line of the point. Fields nobody asked for are allowed: the runner may say more.
  void each(std::string_view group, const std::function<void(const ResultPoint&, ObjectReader& params, ObjectReader& metrics)>& visit) const;

  static const std::vector<std::string>& group_names();

 private:
  void take(const Json& line, std::size_t number);
  void take_header(const Json& line, std::size_t number);
  void take_point(ObjectReader& reader, std::size_t number);
  void summarise_failures();

  std::string path_;
  ResultsHeader header_;
  std::map<std::string, std::vector<ResultPoint>, std::less<>> groups_;
  std::map<std::pair<std::string, std::string>, std::size_t> places_;  // (group, key): place in its group
  std::map<std::pair<std::string, std::string>, std::pair<std::string, std::string>> not_measured_;  // (group, key): kind, reason
  std::int64_t left_ = 0;  // points the last call had no time for
  std::vector<std::string> notes_;
};

}  // namespace brink::calibrate
