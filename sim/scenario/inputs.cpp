#include "sim/scenario/inputs.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "models/base/sha256.h"

namespace brink::scenario {

namespace {

/// Reads one part given as a path or inline. `load(path)` and `read(object, pointer)` throw ConfigError.
template <class Load, class Read>
void read_part(ObjectReader& in, const char* role, const std::string& base_dir, std::vector<InputDigest>& digests,
               const Load& load, const Read& read) {
  const Json& given = in.value(role);
  if (given.is_string()) {
    const std::string path = existing_file(in, role, base_dir);
    load(path);
    digests.push_back({role, sha256_of_file(path)});
  } else if (given.is_object()) {
    read(given, in.pointer_to(role));
    digests.push_back({role, sha256_of(canonical(given).dump())});
  } else {
    throw in.error(role, given.describe(), "allowed: the path of a file, or an object");
  }
}

/// An error of a reader that knows only its own object, moved to where that object stands.
template <class Read>
auto at_pointer_of(const std::string& pointer, const Read& read) {
  try {
    return read();
  } catch (const ConfigError& error) {
    if (!error.file().empty()) throw;
    throw ConfigError(pointer + error.pointer(), error.got(), error.allowed());
  }
}

void add_file(const Json* path, const char* role, const std::string& base_dir, std::vector<InputDigest>& out) {
  if (path != nullptr && path->is_string()) {
    out.push_back({role, sha256_of_file(resolve_path(base_dir, path->as_string()))});
  }
}

}  // namespace

std::string resolve_path(const std::string& base_dir, const std::string& path) {
  return (std::filesystem::path(base_dir) / path).lexically_normal().string();
}

std::string existing_file(ObjectReader& in, const char* key, const std::string& base_dir) {
  const Json& given = in.value(key);
  if (given.as_string().empty()) throw in.error(key, "an empty string", "allowed: the path of a file, or an object");
  std::string path = resolve_path(base_dir, given.as_string());
  if (!std::filesystem::is_regular_file(path)) {
    const bool folder = std::filesystem::is_directory(path);
    throw in.error(key, given.describe() + (folder ? " (a folder: " : " (no such file: ") + path + ")",
                   "the path of a file, from the folder of the file that names it");
  }
  return path;
}

Json canonical(const Json& value) {
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& item : value.items()) out.push_back(canonical(item));
    return out;
  }
  if (!value.is_object()) return value;
  std::vector<const Json::Member*> members;
  for (const Json::Member& member : value.members()) {
    if (!member.second.is_null()) members.push_back(&member);
  }
  std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  Json out = Json::object();
  for (const Json::Member* member : members) out.set(member->first, canonical(member->second));
  return out;
}

Inputs read_inputs(ObjectReader& in, const std::string& base_dir) {
  Inputs out;
  read_part(
      in, "model", base_dir, out.digests, [&](const std::string& path) { out.model = transformer::load_model(path); },
      [&](const Json& json, const std::string& pointer) {
        out.model = at_pointer_of(pointer, [&] { return transformer::read_model(json, "inline"); });
      });
  read_part(
      in, "cluster", base_dir, out.digests, [&](const std::string& path) { out.cluster = fabric::load_cluster(path); },
      [&](const Json& json, const std::string& pointer) { out.cluster = fabric::read_cluster(json, base_dir, pointer); });
  out.gpu = gpu::load_gpu(out.cluster.gpu_path);
  // The GPU's own memory is a link of the fabric; a cluster file may say otherwise.
  if (out.cluster.hbm.bandwidth.value() <= 0.0) out.cluster.hbm.bandwidth = out.gpu.hbm_achieved;
  out.digests.push_back({"gpu", sha256_of_file(out.cluster.gpu_path)});
  read_part(
      in, "profile", base_dir, out.digests,
      [&](const std::string& path) {
        out.profile = std::make_shared<const cost::KernelProfile>(cost::KernelProfile::load(path));
      },
      [&](const Json& json, const std::string& pointer) {
        out.profile = at_pointer_of(
            pointer, [&] { return std::make_shared<const cost::KernelProfile>(cost::KernelProfile::from_json(json)); });
      });
  return out;
}

std::vector<InputDigest> workload_digests(const Json& workload, const std::string& base_dir) {
  std::vector<InputDigest> out;
  Json from_file;
  const Json* object = &workload;
  std::string folder = base_dir;
  if (workload.is_string()) {
    const std::string path = resolve_path(base_dir, workload.as_string());
    out.push_back({"workload", sha256_of_file(path)});
    from_file = load_json(path);
    object = &from_file;
    folder = std::filesystem::path(path).parent_path().string();
  }
  add_file(at_pointer(*object, "/trace/path"), "trace", folder, out);
  add_file(at_pointer(*object, "/input_tokens/path"), "input_tokens", folder, out);
  add_file(at_pointer(*object, "/output_tokens/path"), "output_tokens", folder, out);
  return out;
}

}  // namespace brink::scenario
