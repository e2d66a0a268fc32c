// From a results file of the microkernels to a kernel profile.
#pragma once

#include <string>
#include <vector>

#include "calibrate/microkernel/results.h"
#include "calibrate/validation.h"
#include "models/base/json.h"
#include "models/gpu/gpu_spec.h"

namespace brink::calibrate {

/// What a fit came to.
struct MicrokernelFit {
  Json profile;
  std::vector<ValidationRow> comparisons;  ///< measured against fitted, in sample and held out
  std::vector<std::string> notes;          ///< what was left out, and why
  std::vector<std::string> measured;       ///< sections from this file
  std::vector<std::string> carried;        ///< sections from `base`
};

/// Fits every section the results have points for. The other sections of `base` (a profile document; null
/// for none) are carried over and named in the profile's `source`, as are its `host` and `in_situ`.
/// `keep`: sections taken from `base` although they were measured. Throws TraceError for a point that
/// cannot be used, Error for a GPU that is not `spec`'s, for a name in `keep` that `base` lacks, and
/// when a section every profile needs has neither points nor a base.
[[nodiscard]] MicrokernelFit fit_microkernels(const MicrokernelResults& results, const gpu::GpuSpec& spec, const Json& base,
                                              const std::vector<std::string>& keep = {});

}  // namespace brink::calibrate
