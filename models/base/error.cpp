#include "models/base/error.h"

#include <algorithm>
#include <numeric>

namespace brink {

namespace {

std::string config_message(const std::string& file, const std::string& pointer, const std::string& got,
                           const std::string& allowed) {
  std::string message;
  if (!file.empty()) message = file + ": ";
  message += pointer.empty() ? "(whole file)" : pointer;
  message += ": got " + got;
  if (!allowed.empty()) message += "; " + allowed;
  return message;
}

// Levenshtein distance, one row at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

ConfigError::ConfigError(std::string pointer, std::string got, std::string allowed, std::string file)
    : Error(config_message(file, pointer, got, allowed)),
      pointer_(std::move(pointer)),
      got_(std::move(got)),
      allowed_(std::move(allowed)),
      file_(std::move(file)) {}

ConfigError ConfigError::in_file(const std::string& file) const {
  return ConfigError(pointer_, got_, allowed_, file_.empty() ? file : file_);
}

TraceError::TraceError(const std::string& file, std::size_t line, const std::string& what)
    : Error(file + ":" + std::to_string(line) + ": " + what) {}

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  // A hostile key of megabytes must not cost a quadratic comparison.
  constexpr std::size_t name_length_max = 128;
  if (name.size() > name_length_max) return {};
  std::string best;
  std::size_t best_distance = name_length_max + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > name_length_max) continue;
    const std::size_t distance = edit_distance(name, candidate);
    const std::size_t longer = std::max(name.size(), candidate.size());
    const bool begun = name.size() >= 3 && candidate.starts_with(name);
    const bool near = 3 * distance <= longer || (distance <= 2 && longer >= 5);
    if ((near || begun) && distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string allowed_names(std::string_view got, const std::vector<std::string>& candidates) {
  std::string text;
  if (const std::string nearest = nearest_name(got, candidates); !nearest.empty()) {
    text = "did you mean '" + nearest + "'? ";
  }
  text += "allowed: ";
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (i > 0) text += ", ";
    text += candidates[i];
  }
  return text;
}

}  // namespace brink
