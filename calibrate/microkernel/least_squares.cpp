#include "calibrate/microkernel/least_squares.h"

#include <algorithm>
#include <cmath>

#include <Eigen/Dense>
#include <fmt/format.h>

#include "models/base/error.h"

namespace brink::calibrate {
namespace {

constexpr int kIterations = 200;
constexpr double kDifference = 1e-5;      // of a parameter on its own scale, for the Jacobian
constexpr double kConverged = 1e-10;      // relative decrease of the loss
constexpr double kBoundShare = 1e-6;      // of the allowed interval: nearer is "at the bound"

/// Parameters as the search sees them: logarithms where the parameter is positive.
class Scale {
 public:
  explicit Scale(const std::vector<FitParameter>& parameters) {
    for (const FitParameter& p : parameters) {
      logarithmic_.push_back(p.low > 0.0);
      low_.push_back(to(p.low, p.low > 0.0));
      high_.push_back(to(p.high, p.low > 0.0));
    }
  }
  [[nodiscard]] Eigen::VectorXd search(const std::vector<double>& values) const {
    Eigen::VectorXd x(static_cast<Eigen::Index>(values.size()));
    for (std::size_t i = 0; i < values.size(); ++i) x[static_cast<Eigen::Index>(i)] = to(values[i], logarithmic_[i]);
    return project(x);
  }
  [[nodiscard]] std::vector<double> values(const Eigen::VectorXd& x) const {
    std::vector<double> out;
    for (std::size_t i = 0; i < logarithmic_.size(); ++i) {
      const double v = x[static_cast<Eigen::Index>(i)];
      out.push_back(logarithmic_[i] ? std::exp(v) : v);
    }
    return out;
  }
  [[nodiscard]] Eigen::VectorXd project(Eigen::VectorXd x) const {
    for (std::size_t i = 0; i < low_.size(); ++i) {
      double& v = x[static_cast<Eigen::Index>(i)];
      v = std::clamp(v, low_[i], high_[i]);
    }
    return x;
  }
  [[nodiscard]] double span(std::size_t i) const { return high_[i] - low_[i]; }
  [[nodiscard]] double low(std::size_t i) const { return low_[i]; }
  [[nodiscard]] double high(std::size_t i) const { return high_[i]; }
  /// Step of the difference quotient, away from the nearer bound.
  [[nodiscard]] double step(std::size_t i, double v) const {
    const double size = logarithmic_[i] ? kDifference : kDifference * std::max(std::abs(v), 1e-3 * span(i));
    return v + size > high_[i] ? -size : size;
  }

 private:
  static double to(double v, bool logarithmic) { return logarithmic ? std::log(v) : v; }
  std::vector<bool> logarithmic_;
  std::vector<double> low_, high_;
};

Eigen::VectorXd evaluate(const FitResiduals& residuals, const std::vector<double>& values) {
  const std::vector<double> r = residuals(values);
  return Eigen::Map<const Eigen::VectorXd>(r.data(), static_cast<Eigen::Index>(r.size()));
}

double loss(const Eigen::VectorXd& r, double scale) {
  double sum = 0.0;
  for (const double v : r) sum += 2.0 * scale * scale * (std::sqrt(1.0 + v * v / (scale * scale)) - 1.0);
  return std::isfinite(sum) ? sum : HUGE_VAL;
}

Eigen::MatrixXd jacobian(const Scale& scale, const FitResiduals& residuals, const Eigen::VectorXd& x, const Eigen::VectorXd& at) {
  Eigen::MatrixXd j(at.size(), x.size());
  for (Eigen::Index i = 0; i < x.size(); ++i) {
    Eigen::VectorXd moved = x;
    const double h = scale.step(static_cast<std::size_t>(i), x[i]);
    moved[i] += h;
    j.col(i) = (evaluate(residuals, scale.values(moved)) - at) / h;
  }
  return j;
}

}  // namespace

FitSolution least_squares(const std::vector<FitParameter>& parameters, const FitResiduals& residuals, double scale) {
  const Scale space(parameters);
  std::vector<double> start;
  for (const FitParameter& p : parameters) start.push_back(p.start);
  Eigen::VectorXd x = space.search(start), r = evaluate(residuals, space.values(x));
  if (r.size() < x.size()) throw Error(fmt::format("{} measurements for {} parameters ({}, ...): measure more points", r.size(), x.size(), parameters.front().name));
  double damping = 1e-3, best = loss(r, scale);
  for (int iteration = 0; iteration < kIterations && damping < 1e12; ++iteration) {
    // Weights of the soft absolute loss at the current residuals (iteratively reweighted least squares).
    const Eigen::ArrayXd weight = (1.0 + r.array().square() / (scale * scale)).sqrt().inverse();
    Eigen::MatrixXd j = jacobian(space, residuals, x, r);
    const Eigen::VectorXd gradient = j.transpose() * (weight * r.array()).matrix();
    // A parameter that its bound holds leaves the step to the others.
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const bool held = (x[i] <= space.low(at) && gradient[i] > 0.0) || (x[i] >= space.high(at) && gradient[i] < 0.0);
      if (held) j.col(i).setZero();
    }
    const Eigen::VectorXd free_gradient = j.transpose() * (weight * r.array()).matrix();
    Eigen::MatrixXd normal = j.transpose() * weight.matrix().asDiagonal() * j;
    const double floor = 1e-12 * std::max(normal.diagonal().maxCoeff(), 1e-300);
    for (Eigen::Index i = 0; i < x.size(); ++i) normal(i, i) += damping * normal(i, i) + floor;
    const Eigen::VectorXd next = space.project(x - normal.ldlt().solve(free_gradient));
    const Eigen::VectorXd trial = evaluate(residuals, space.values(next));
    const double value = loss(trial, scale);
    if (!(value < best)) {
      damping *= 4.0;
      continue;
    }
    const bool converged = best - value <= kConverged * best;
    x = next;
    r = trial;
    best = value;
    damping = std::max(damping / 3.0, 1e-9);
    if (converged) break;
  }
  FitSolution solution;
  solution.values = space.values(x);
  solution.rms = std::sqrt(r.squaredNorm() / static_cast<double>(std::max<Eigen::Index>(r.size(), 1)));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double v = x[static_cast<Eigen::Index>(i)], near = kBoundShare * space.span(i);
    if (v - space.low(i) <= near || space.high(i) - v <= near) solution.at_bound.push_back(parameters[i].name);
  }
  return solution;
}

}  // namespace brink::calibrate
