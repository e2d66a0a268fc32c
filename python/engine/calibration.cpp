#include "python/engine/calibration.h"

#include "calibrate/kernel_calibration.h"
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

}  // namespace brink::python
