// A small good scenario that tests change one field of.
#pragma once

#include <string>

#include "models/base/json.h"

namespace brink::scenario::test {

inline const std::string base_dir = std::string(BRINK_SOURCE_DIR) + "/tests/golden";

inline Json good_scenario() {
  return parse_json(R"({
    "schema_version": 1, "name": "case", "seed": 1,
    "model": "../../configs/models/llama-3.1-8b.json",
    "cluster": "../../configs/clusters/nd_h100_v5_1node.json",
    "profile": "profile.json",
    "engine": {"name": "vllm", "version": "0.15", "tensor_parallel_size": 1, "max_num_seqs": 64},
    "workload": {"arrivals": {"kind": "poisson", "rate_per_s": 4},
                 "input_tokens": {"kind": "uniform", "low": 100, "high": 900},
                 "output_tokens": {"kind": "fixed", "value": 40}, "num_requests": 60},
    "output": {"requests": true, "timeseries": true}})");
}

}  // namespace brink::scenario::test
