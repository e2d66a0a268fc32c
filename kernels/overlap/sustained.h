#pragma once

#include "kernels/overlap/traffic.h"
#include "kernels/runner/session.h"

namespace brink::kernels {

/// Clocks, power and speed over seconds of idling, of decode-like reads and of matrix products.
void run_sustained(Session& session, const Traffic& traffic);

}  // namespace brink::kernels
