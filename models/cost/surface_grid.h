// An efficiency surface read through a grid of quarter octaves: the regression sums over every point of the
// fit (tens of microseconds), a grid cell over its four corners (tens of nanoseconds).
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "models/cost/efficiency_surface.h"

namespace brink::cost {

/// Bilinear in the logs of the first two axes, exact in the third; corners are computed when first needed,
/// so the answer depends on the question alone, never on what was asked before. Powers of two are corners.
/// The memo makes concurrent use of one object unsafe.
class SurfaceGrid {
 public:
  static constexpr int kNodesPerOctave = 4;

  /// Throws std::invalid_argument unless the surface has three axes and one output.
  explicit SurfaceGrid(EfficiencySurface surface);

  /// log(time / law), within 0.5 % of the surface.
  [[nodiscard]] double value(const std::vector<double>& at) const;
  [[nodiscard]] const EfficiencySurface& surface() const { return surface_; }

 private:
  [[nodiscard]] double node(std::vector<double>& slab, std::size_t i, std::size_t j, double third) const;

  struct Axis {
    int first = 0;          // index of the first node, in quarter octaves
    std::size_t nodes = 1;
    double low = 1.0, high = 1.0;
  };
  EfficiencySurface surface_;
  Axis x_, y_;
  mutable std::map<double, std::vector<double>> slabs_;  // by the third coordinate
};

}  // namespace brink::cost
