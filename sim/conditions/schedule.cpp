#include "sim/conditions/schedule.h"

#include <algorithm>
#include <cmath>

namespace brink::conditions {

namespace {

const Seconds forever(std::numeric_limits<double>::infinity());

}  // namespace

Phase Schedule::at(Seconds time) const {
  if (time < from) return {false, -forever, from};
  if (time >= until) return {false, until, forever};
  if (!(period > Seconds(0.0))) return {true, from, until};
  // The begin of a period is computed from its number, so that every instant of it gives the same one.
  double number = std::floor((time - from) / period);
  if (from + period * (number + 1.0) <= time) number += 1.0;
  if (from + period * number > time) number -= 1.0;
  const Seconds begin = from + period * number;
  const Seconds pause = begin + active;
  if (time < pause) return {true, begin, std::min(pause, until)};
  return {false, pause, std::min(from + period * (number + 1.0), until)};
}

}  // namespace brink::conditions
