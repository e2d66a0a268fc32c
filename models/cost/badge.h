// How well a number is known. Every estimate carries one; a sum is known as badly as its worst part.
#pragma once

#include <algorithm>
#include <string_view>

namespace brink::cost {

/// Ordered from best to worst known.
enum class Badge {
  measured,      ///< the whole coordinate is a point of the measurements the profile was fitted to
  interpolated,  ///< inside the measured range
  extrapolated,  ///< outside the measured range, continued by the fitted law
  hypothetical,  ///< no measurement of this kind: derived from hardware facts
};

/// The badge of something made of both.
[[nodiscard]] constexpr Badge worse(Badge a, Badge b) { return std::max(a, b); }

[[nodiscard]] constexpr std::string_view name(Badge badge) {
  switch (badge) {
    case Badge::measured: return "measured";
    case Badge::interpolated: return "interpolated";
    case Badge::extrapolated: return "extrapolated";
    case Badge::hypothetical: return "hypothetical";
  }
  return "hypothetical";
}

}  // namespace brink::cost
