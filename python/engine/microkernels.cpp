#include "python/engine/microkernels.h"

#include "calibrate/microkernel/diff.h"
#include "calibrate/microkernel/fit.h"
#include "calibrate/microkernel/report.h"
#include "models/base/json.h"
#include "models/gpu/gpu_spec.h"

namespace brink::python {

std::string fit_microkernels(const std::string& results, const std::string& gpu, const std::string& base,
                             const std::vector<std::string>& keep) {
  const auto read = calibrate::MicrokernelResults::read(results);
  const Json older = base.empty() ? Json() : parse_json(base, "the base profile");
  const calibrate::MicrokernelFit fit = calibrate::fit_microkernels(read, gpu::load_gpu(gpu), older, keep);
  Json answer = Json::object();
  answer.set("profile", fit.profile.dump(1) + "\n");
  answer.set("report", calibrate::report_json(fit));
  answer.set("text", calibrate::report_text(fit));
  return answer.dump();
}

std::string diff_profiles(const std::string& before, const std::string& after) {
  return calibrate::to_json(calibrate::diff_profiles(parse_json(before), parse_json(after))).dump();
}

}  // namespace brink::python
