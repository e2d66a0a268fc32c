// The tactics of the GEMM libraries as data: what exists, not what is chosen. The default one states its source;
// calibration replaces it by what the library enumerates on real hardware.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/base/json.h"

namespace brink::plan {

struct GemmCatalogue {
  std::int64_t sm_count = 132;

  static GemmCatalogue load(const std::string& path);
  static GemmCatalogue from_json(const Json& document);
};

}  // namespace brink::plan
