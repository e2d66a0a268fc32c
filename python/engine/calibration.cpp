#include "python/engine/calibration.h"

#include "calibrate/kernel_calibration.h"
#include "models/base/error.h"
#include "models/base/json.h"
#include "models/cost/kernel_profile.h"
#include "models/gpu/gpu_spec.h"

namespace brink::python {

std::string fit_kernels(const std::string& data_dir, const std::string& gpu, const std::string& keep) {
  const Json old = keep.empty() ? Json::object() : parse_json(keep, "the earlier profile");
  const Json* host = old.find("host");
  Json profile = calibrate::fit_kernels(data_dir, gpu::load_gpu(gpu), host != nullptr ? *host : Json());
  if (const Json* in_situ = old.find("in_situ"); in_situ != nullptr) {
    profile.set("in_situ", *in_situ);
  }
  (void)cost::KernelProfile::from_json(profile);  // what is written can be read
  return profile.dump(1) + "\n";
}

std::string cross_validate(const std::string& data_dir, const std::string& gpu) {
  return calibrate::to_json(calibrate::cross_validate(data_dir, gpu::load_gpu(gpu))).dump(0);
}

std::string with_sections(const std::string& document, const std::string& sections) {
  Json result = parse_json(document);
  const Json given = parse_json(sections);
  if (!result.is_object() || !given.is_object()) {
    throw ConfigError("", result.is_object() ? given.describe() : result.describe(), "a JSON object");
  }
  for (const auto& [name, section] : given.members()) {
    result.set(name, section);
  }
  return result.dump(1) + "\n";
}

}  // namespace brink::python
