// One request as the client sends it.
#pragma once

#include <cstdint>

#include "models/base/ids.h"
#include "models/base/units.h"

namespace brink::workload {

struct Request {
  RequestId id;                    // position in the workload, from 0
  Seconds arrival;                 // when the client wants to send it
  std::int64_t input_tokens = 0;   // >= 1
  std::int64_t output_tokens = 0;  // >= 1; only the mechanism knows it, never a policy
  std::int32_t tenant = 0;         // whose request it is, from 0
};

}  // namespace brink::workload
