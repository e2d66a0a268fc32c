#include "calibrate/microkernel/results.h"

#include <algorithm>

#include <fmt/format.h>

#include "calibrate/csv.h"
#include "models/base/error.h"

namespace brink::calibrate {
namespace {

constexpr std::int64_t kSchemaVersion = 1;

/// "file:line: <pointer>: got ...": an error of a field, with the line it stands on.
[[noreturn]] void rethrow_at(const std::string& path, std::size_t line, const ConfigError& error) {
  const std::string where = error.pointer().empty() ? std::string() : error.pointer() + ": ";
  throw TraceError(path, line, fmt::format("{}got {}; {}", where, error.got(), error.allowed()));
}

}  // namespace

const std::vector<std::string>& MicrokernelResults::group_names() {
  static const std::vector<std::string> names{"hbm",    "l2",   "tlb",    "gemm",       "gemm_bits", "attention",
                                              "norm",   "launch", "collective", "host_link", "overlap",   "decode_step"};
  return names;
}

MicrokernelResults MicrokernelResults::read(const std::string& path) {
  MicrokernelResults results;
  results.path_ = path;
  const std::string text = read_text(path);
  std::size_t number = 0, from = 0;
  while (from < text.size()) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    const bool finished = end < text.size();
    const std::string_view line(text.data() + from, end - from);
    from = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Json json;
    try {
      json = parse_json(line);
    } catch (const ConfigError& error) {
      if (finished) throw TraceError(path, number, fmt::format("not a JSON object: {}; {}", error.got(), error.allowed()));
      results.notes_.push_back(fmt::format("line {} is unfinished (the run was ended while it wrote): left out", number));
      break;
    }
    results.take(json, number);
  }
  if (results.header_.gpu.empty()) throw TraceError(path, 1, "no header line; a results file begins with {\"kind\": \"header\", ...}");
  results.summarise_failures();
  return results;
}

void MicrokernelResults::summarise_failures() {
  std::map<std::string, std::vector<std::string>> reasons;
  for (const auto& [point, what] : not_measured_) reasons[point.first + " " + what.first].push_back(what.second);
  for (const auto& [what, list] : reasons) notes_.push_back(fmt::format("{}: {} points, the first: {}", what, list.size(), list.front()));
  if (left_ > 0) notes_.push_back(fmt::format("{} points were left for lack of time: run again with --resume", left_));
}

void MicrokernelResults::take(const Json& line, std::size_t number) {
  try {
    ObjectReader reader(line, "");
    reader.allow_unknown();
    const std::string kind = reader.choice("kind", {"header", "point", "skipped", "failed", "note", "end"});
    if (kind == "header") return take_header(line, number);
    if (header_.gpu.empty()) throw TraceError(path_, number, "a " + kind + " before the header line");
    if (kind == "end") {
      left_ = reader.integer_or("left", 0, Range::at_least(0));
      return;
    }
    const std::string group = reader.choice("group", group_names());
    if (kind == "point") return take_point(reader, number);
    const std::string reason = reader.string_or("reason", "no reason given");
    if (kind == "note") notes_.push_back(group + ": " + reason);
    else not_measured_[{group, reader.string_or("key", "")}] = {kind, reason};
  } catch (const ConfigError& error) {
    rethrow_at(path_, number, error);
  }
}

void MicrokernelResults::take_header(const Json& line, std::size_t number) {
  ObjectReader reader(line, "");
  reader.allow_unknown();
  const std::int64_t version = reader.integer("schema_version");
  if (version != kSchemaVersion) throw reader.error("schema_version", std::to_string(version), "1 (measure again with this version's runner)");
  ResultsHeader header;
  header.gpu = reader.string("gpu");
  header.sm_count = reader.integer("sm_count", Range::between(1, 4096));
  header.l2 = Bytes(reader.number("l2_bytes", Range::positive("B")));
  header.document = line;
  if (!header_.gpu.empty() && (header_.gpu != header.gpu || header_.sm_count != header.sm_count))
    throw TraceError(path_, number, fmt::format("measured on '{}' ({} SMs), the lines above on '{}' ({} SMs); one file holds one type of GPU",
                                                header.gpu, header.sm_count, header_.gpu, header_.sm_count));
  header_ = std::move(header);
}

void MicrokernelResults::take_point(ObjectReader& reader, std::size_t number) {
  ResultPoint point;
  point.line = number;
  point.group = reader.string("group");
  point.key = reader.string("key");
  point.params = reader.value("params");
  point.metrics = reader.has("metrics") ? reader.value("metrics") : Json::object();
  if (!point.params.is_object()) throw reader.error("params", point.params.describe(), "an object");
  if (!point.metrics.is_object()) throw reader.error("metrics", point.metrics.describe(), "an object");
  if (reader.has("median_s")) {
    point.timed = true;
    point.median = Seconds(reader.number("median_s", Range::positive("s")));
    point.noise = reader.number_or("noise", 0.0, Range::at_least(0.0));
    point.throttled = reader.boolean_or("throttled", false);
    point.method = reader.string_or("method", "");
  }
  if (reader.has("verified") && !reader.boolean("verified")) throw reader.error("verified", "false", "true or null: a wrong output has no time");
  std::vector<ResultPoint>& points = groups_[point.group];
  not_measured_.erase({point.group, point.key});  // a failure that was tried again
  const auto [place, first] = places_.emplace(std::pair(point.group, point.key), points.size());
  if (first) points.push_back(std::move(point));
  else points[place->second] = std::move(point);
}

const std::vector<ResultPoint>& MicrokernelResults::group(std::string_view name) const {
  static const std::vector<ResultPoint> none;
  const auto found = groups_.find(name);
  return found == groups_.end() ? none : found->second;
}

std::size_t MicrokernelResults::points() const {
  std::size_t count = 0;
  for (const auto& entry : groups_) count += entry.second.size();
  return count;
}

void MicrokernelResults::each(std::string_view name, const std::function<void(const ResultPoint&, ObjectReader&, ObjectReader&)>& visit) const {
  for (const ResultPoint& point : group(name)) {
    try {
      ObjectReader params(point.params, "/params"), metrics(point.metrics, "/metrics");
      visit(point, params, metrics);
    } catch (const ConfigError& error) {
      rethrow_at(path_, point.line, error);
    }
  }
}

}  // namespace brink::calibrate
