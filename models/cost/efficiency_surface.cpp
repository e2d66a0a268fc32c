#include "models/cost/efficiency_surface.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "models/cost/significant.h"

namespace brink::cost {
namespace {

using Column = Eigen::Map<const Eigen::ArrayXd>;

Column column(const std::vector<double>& values, std::size_t index, std::size_t rows) {
  return {values.data() + index * rows, static_cast<Eigen::Index>(rows)};
}

/// Matern 3/2 of squared distances.
Eigen::ArrayXd matern(const Eigen::ArrayXd& squared_distances) {
  const Eigen::ArrayXd r = (3.0 * squared_distances).sqrt();
  return (1.0 + r) * (-r).exp();
}

}  // namespace

EfficiencySurface::EfficiencySurface(std::vector<Axis> axes, std::vector<double> means, std::vector<Point> points)
    : axes_(std::move(axes)), means_(std::move(means)), points_(std::move(points)) {
  for (const Point& point : points_) {
    if (point.at.size() != axes_.size() || point.weights.size() != means_.size())
      throw std::invalid_argument("efficiency surface: a point needs one coordinate an axis and one weight an output");
    for (std::int64_t x : point.at)
      if (x < 1) throw std::invalid_argument("efficiency surface: coordinates are at least 1");
  }
  if (means_.empty() || axes_.empty()) throw std::invalid_argument("efficiency surface: needs an axis and an output");
  prepare();
}

void EfficiencySurface::prepare() {
  low_.assign(axes_.size(), 0.0);
  high_.assign(axes_.size(), 0.0);
  coordinates_.clear();
  for (std::size_t i = 0; i < axes_.size(); ++i)
    for (std::size_t p = 0; p < points_.size(); ++p) {
      const double x = static_cast<double>(points_[p].at[i]);
      coordinates_.push_back(std::log2(x) / axes_[i].octaves);
      low_[i] = p == 0 ? x : std::min(low_[i], x);
      high_[i] = p == 0 ? x : std::max(high_[i], x);
    }
  weights_.clear();
  for (std::size_t o = 0; o < means_.size(); ++o)
    for (const Point& point : points_) weights_.push_back(point.weights[o]);
}

EfficiencySurface EfficiencySurface::fit(std::vector<Axis> axes, const std::vector<std::vector<std::int64_t>>& at,
                                         const std::vector<std::vector<double>>& values, const std::vector<double>& counts,
                                         double nugget) {
  if (at.empty() || at.size() != values.size() || at.size() != counts.size())
    throw std::invalid_argument("efficiency surface: a fit needs as many values and counts as points, and at least one");
  const auto rows = static_cast<Eigen::Index>(at.size());
  const auto outputs = static_cast<Eigen::Index>(values.front().size());
  std::vector<Point> points;
  points.reserve(at.size());
  for (const auto& coordinate : at) points.push_back({coordinate, std::vector<double>(values.front().size(), 0.0)});
  EfficiencySurface surface(std::move(axes), std::vector<double>(values.front().size(), 0.0), std::move(points));

  Eigen::MatrixXd covariance(rows, rows);
  Eigen::MatrixXd target(rows, outputs);
  for (Eigen::Index i = 0; i < rows; ++i) {
    Eigen::ArrayXd squared = Eigen::ArrayXd::Zero(rows);
    for (std::size_t axis = 0; axis < surface.axes_.size(); ++axis) {
      const Column x = column(surface.coordinates_, axis, at.size());
      squared += (x - x(i)).square();
    }
    covariance.col(i) = matern(squared).matrix();
    covariance(i, i) += nugget / counts[static_cast<std::size_t>(i)];
    for (Eigen::Index o = 0; o < outputs; ++o) target(i, o) = values[static_cast<std::size_t>(i)][static_cast<std::size_t>(o)];
  }
  const Eigen::RowVectorXd mean = target.colwise().mean();
  target.rowwise() -= mean;
  const Eigen::LLT<Eigen::MatrixXd, Eigen::Lower> factor(covariance);
  if (factor.info() != Eigen::Success) throw std::invalid_argument("efficiency surface: repeated points need a positive nugget");
  const Eigen::MatrixXd weights = factor.solve(target);
  for (Eigen::Index o = 0; o < outputs; ++o) {
    surface.means_[static_cast<std::size_t>(o)] = round_significant(mean(o), 5);
    for (Eigen::Index i = 0; i < rows; ++i)
      surface.points_[static_cast<std::size_t>(i)].weights[static_cast<std::size_t>(o)] = round_significant(weights(i, o), 5);
  }
  surface.prepare();
  return surface;
}

std::vector<double> EfficiencySurface::covariances(const std::vector<double>& at) const {
  if (at.size() != axes_.size()) throw std::invalid_argument("efficiency surface: wrong number of coordinates");
  Eigen::ArrayXd squared = Eigen::ArrayXd::Zero(static_cast<Eigen::Index>(points_.size()));
  for (std::size_t i = 0; i < at.size(); ++i) {
    // Beyond the measured range the efficiency of its edge holds; the law alone carries on.
    const double inside = points_.empty() ? 1.0 : std::clamp(at[i], low_[i], high_[i]);
    squared += (column(coordinates_, i, points_.size()) - std::log2(inside) / axes_[i].octaves).square();
  }
  std::vector<double> k(points_.size());
  Eigen::Map<Eigen::ArrayXd>(k.data(), squared.size()) = matern(squared);
  return k;
}

double EfficiencySurface::blend(const std::vector<double>& at, std::size_t first, std::size_t second, double share) const {
  const std::vector<double> covariance = covariances(at);
  const Column k(covariance.data(), static_cast<Eigen::Index>(covariance.size()));
  const double a = means_.at(first) + (k * column(weights_, first, points_.size())).sum();
  if (first == second) return a;
  const double b = means_.at(second) + (k * column(weights_, second, points_.size())).sum();
  return (1.0 - share) * a + share * b;
}

double EfficiencySurface::value(const std::vector<double>& at, std::size_t output) const { return blend(at, output, output, 0.0); }

bool EfficiencySurface::has_point(const std::vector<double>& at) const {
  for (std::size_t p = 0; p < points_.size(); ++p) {
    bool same = true;
    for (std::size_t i = 0; i < at.size() && same; ++i) same = static_cast<double>(points_[p].at[i]) == at[i];
    if (same) return true;
  }
  return false;
}

bool EfficiencySurface::inside(const std::vector<double>& at) const {
  if (points_.empty()) return false;
  for (std::size_t i = 0; i < at.size(); ++i)
    if (at[i] < low_[i] || at[i] > high_[i]) return false;
  return true;
}

EfficiencySurface EfficiencySurface::from_json(ObjectReader reader) {
  std::vector<Axis> axes;
  reader.each("axes", [&](const Json& item, const std::string& pointer) {
    ObjectReader axis(item, pointer);
    axes.push_back({axis.string("name"), axis.number("octaves", Range::positive())});
    axis.finish();
  });
  if (axes.empty()) throw reader.error("axes", "no axis", "at least one axis");
  std::vector<double> means = reader.numbers("means");
  if (means.empty()) throw reader.error("means", "no value", "one mean an output");
  std::vector<Point> points;
  reader.each("points", [&](const Json& item, const std::string& pointer) {
    const std::size_t wanted = axes.size() + means.size();
    if (item.kind() != Json::Kind::array || item.items().size() != wanted)
      throw ConfigError(pointer, item.describe(), "an array of " + std::to_string(wanted) + " numbers: coordinates, then weights");
    Point point;
    for (std::size_t i = 0; i < wanted; ++i) {
      const std::string at = join_pointer(pointer, i);
      if (i < axes.size()) point.at.push_back(checked_integer(item.items()[i], at, Range::at_least(1)));
      else point.weights.push_back(checked_number(item.items()[i], at));
    }
    points.push_back(std::move(point));
  });
  if (points.empty()) throw reader.error("points", "no point", "at least one point");
  reader.finish();
  return EfficiencySurface(std::move(axes), std::move(means), std::move(points));
}

Json EfficiencySurface::to_json() const {
  Json json = Json::object();
  Json& axes = json.set("axes", Json::array());
  for (const Axis& axis : axes_) {
    Json& item = axes.push_back(Json::object());
    item.set("name", axis.name);
    item.set("octaves", axis.octaves);
  }
  json.set("means", Json::array_of(means_));
  Json& points = json.set("points", Json::array());
  for (const Point& point : points_) {
    Json& row = points.push_back(Json::array());
    for (std::int64_t x : point.at) row.push_back(Json(x));
    for (double w : point.weights) row.push_back(Json(w));
  }
  return json;
}

}  // namespace brink::cost
