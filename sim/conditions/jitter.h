// Host-pacing jitter of one replica's ranks as a condition: the lateness of pacing.h while a schedule acts.
#pragma once

#include "sim/conditions/pacing.h"
#include "sim/conditions/schedule.h"
#include "sim/conditions/target.h"

namespace brink::conditions {

struct JitterSettings {
  Target target;       // all ranks of the replica are alike
  Schedule schedule;
  Lateness lateness;   // scaled already
};

}  // namespace brink::conditions
