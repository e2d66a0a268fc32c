// The files a scenario names: found, loaded, and remembered by the hash of their content.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/base/object_reader.h"
#include "models/cost/kernel_profile.h"
#include "models/fabric/cluster.h"
#include "models/gpu/gpu_spec.h"
#include "models/transformer/model.h"

namespace brink::scenario {

/// What a result was computed from: "model", "cluster", "gpu", "profile", "workload", "trace" ...
struct InputDigest {
  std::string role;
  std::string sha256;
};

/// A path of a file, relative to the file that names it.
[[nodiscard]] std::string resolve_path(const std::string& base_dir, const std::string& path);

/// The file that the string at `key` names. Throws ConfigError when it names none.
[[nodiscard]] std::string existing_file(ObjectReader& in, const char* key, const std::string& base_dir);

/// The same value with the members of every object sorted by name and nulls left out: what is
/// written then does not depend on how the input was ordered.
[[nodiscard]] Json canonical(const Json& value);

struct Inputs {
  transformer::Model model;
  fabric::Cluster cluster;
  gpu::GpuSpec gpu;
  std::shared_ptr<const cost::KernelProfile> profile;
  std::vector<InputDigest> digests;
};

/// Reads /model, /cluster and /profile: each a path or the object itself. Throws ConfigError; what
/// is wrong inside a file carries that file's name and a pointer into it.
[[nodiscard]] Inputs read_inputs(ObjectReader& in, const std::string& base_dir);

/// Digests of the files /workload names, in the order workload, trace, input_tokens, output_tokens.
/// To be called after the workload itself has been read: it expects what it finds to be usable.
[[nodiscard]] std::vector<InputDigest> workload_digests(const Json& workload, const std::string& base_dir);

}  // namespace brink::scenario
