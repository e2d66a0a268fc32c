// What changed between two kernel profiles, by group.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/base/json.h"

namespace brink::calibrate {

/// One changed thing. Times are compared over a fixed set of probes that both profiles answer.
struct ProfileChange {
  std::string group;  ///< "gemm", "decode_attention", "gpu", "memory", "tactics", ...
  std::string what;   ///< "bf16, decode rows (m <= 64)", "hbm[copy].bytes_per_s", ...
  std::optional<double> before, after;
  double change = 0.0;  ///< after / before - 1; for probes the geometric mean
  double worst = 0.0;   ///< largest |change| of one probe
  std::string note;
};

/// In a fixed order; unchanged things are left out. Throws ConfigError for a document that is no profile.
[[nodiscard]] std::vector<ProfileChange> diff_profiles(const Json& before, const Json& after);

/// A list of {group, what, before, after, change, worst, note}.
[[nodiscard]] Json to_json(const std::vector<ProfileChange>& changes);
[[nodiscard]] std::string to_text(const std::vector<ProfileChange>& changes);

}  // namespace brink::calibrate
