// A smooth correction over a physical law: Gaussian-process regression (kriging) of the log of
// measured over predicted time, on logarithmic coordinates. Matern 3/2 kernel and nugget as in
// Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), equations 2.25 and 4.17.
// Far from every point it falls back to the mean, that is to the law.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "models/base/object_reader.h"

namespace brink::cost {

/// Coordinates are positive sizes (dimensionless or tokens); outputs are log(time / law).
class EfficiencySurface {
 public:
  /// One coordinate: its name in the profile and the correlation length in octaves (factors of two).
  struct Axis {
    std::string name;
    double octaves = 2.0;
  };
  struct Point {
    std::vector<std::int64_t> at;   // one an axis
    std::vector<double> weights;    // one an output
  };

  EfficiencySurface() = default;
  /// From solved weights. Throws std::invalid_argument when sizes disagree.
  EfficiencySurface(std::vector<Axis> axes, std::vector<double> means, std::vector<Point> points);

  /// Fits: `values[p]` holds the outputs at `at[p]`, `counts[p]` how many measurements were averaged.
  /// `nugget` is the variance of one measurement relative to the variance of the surface.
  static EfficiencySurface fit(std::vector<Axis> axes, const std::vector<std::vector<std::int64_t>>& at,
                               const std::vector<std::vector<double>>& values, const std::vector<double>& counts, double nugget);

  /// One output at a coordinate.
  [[nodiscard]] double value(const std::vector<double>& at, std::size_t output = 0) const;
  /// out = (1 - share) * output[first] + share * output[second].
  [[nodiscard]] double blend(const std::vector<double>& at, std::size_t first, std::size_t second, double share) const;

  /// True when the coordinate is a point of the fit.
  [[nodiscard]] bool has_point(const std::vector<double>& at) const;
  /// True when every coordinate lies in the range of the points.
  [[nodiscard]] bool inside(const std::vector<double>& at) const;

  /// Range of an axis over the points.
  [[nodiscard]] double low(std::size_t axis) const { return low_.at(axis); }
  [[nodiscard]] double high(std::size_t axis) const { return high_.at(axis); }
  [[nodiscard]] std::size_t outputs() const { return means_.size(); }
  [[nodiscard]] const std::vector<Axis>& axes() const { return axes_; }

  static EfficiencySurface from_json(ObjectReader reader);
  [[nodiscard]] Json to_json() const;

 private:
  void prepare();
  [[nodiscard]] std::vector<double> covariances(const std::vector<double>& at) const;

  std::vector<Axis> axes_;
  std::vector<double> means_;
  std::vector<Point> points_;
  std::vector<double> coordinates_;  // scaled logs, axis by axis
  std::vector<double> weights_;      // output by output
  std::vector<double> low_, high_;   // range of each axis
};

}  // namespace brink::cost
