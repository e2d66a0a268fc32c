#include "calibrate/nelder_mead.h"

#include <algorithm>
#include <cmath>

namespace brink::calibrate {
namespace {

struct Vertex {
  std::vector<double> x;
  double loss;
};

/// centre + factor * (centre - worst)
std::vector<double> along(const std::vector<double>& centre, const std::vector<double>& worst, double factor) {
  std::vector<double> x(centre.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = centre[i] + factor * (centre[i] - worst[i]);
  return x;
}

std::vector<double> centre_of(const std::vector<Vertex>& simplex) {
  std::vector<double> centre(simplex.front().x.size(), 0.0);
  for (std::size_t v = 0; v + 1 < simplex.size(); ++v)
    for (std::size_t i = 0; i < centre.size(); ++i) centre[i] += simplex[v].x[i] / static_cast<double>(simplex.size() - 1);
  return centre;
}

void order(std::vector<Vertex>& simplex) {
  std::stable_sort(simplex.begin(), simplex.end(), [](const Vertex& a, const Vertex& b) { return a.loss < b.loss; });
}

}  // namespace

std::vector<double> minimise(const std::function<double(const std::vector<double>&)>& loss, std::vector<double> start, double step,
                             std::size_t evaluations) {
  std::vector<Vertex> simplex{{start, loss(start)}};
  for (std::size_t i = 0; i < start.size(); ++i) {
    std::vector<double> x = start;
    x[i] += step;
    const double value = loss(x);
    simplex.push_back({std::move(x), value});
  }
  std::size_t used = simplex.size();
  order(simplex);
  while (used < evaluations) {
    const std::vector<double> centre = centre_of(simplex);
    Vertex& worst = simplex.back();
    const double second = simplex[simplex.size() - 2].loss;
    Vertex reflected{along(centre, worst.x, 1.0), 0.0};
    reflected.loss = loss(reflected.x);
    ++used;
    if (reflected.loss < simplex.front().loss) {
      Vertex expanded{along(centre, worst.x, 2.0), 0.0};
      expanded.loss = loss(expanded.x);
      ++used;
      worst = expanded.loss < reflected.loss ? std::move(expanded) : std::move(reflected);
    } else if (reflected.loss < second) {
      worst = std::move(reflected);
    } else {
      const bool outside = reflected.loss < worst.loss;
      Vertex contracted{along(centre, worst.x, outside ? 0.5 : -0.5), 0.0};
      contracted.loss = loss(contracted.x);
      ++used;
      if (contracted.loss < std::min(worst.loss, reflected.loss)) {
        worst = std::move(contracted);
      } else {
        for (std::size_t v = 1; v < simplex.size(); ++v) {
          for (std::size_t i = 0; i < start.size(); ++i) simplex[v].x[i] = 0.5 * (simplex[v].x[i] + simplex.front().x[i]);
          simplex[v].loss = loss(simplex[v].x);
          ++used;
        }
      }
    }
    order(simplex);
  }
  return simplex.front().x;
}

std::vector<double> minimise_positive(const std::function<double(const std::vector<double>&)>& loss, std::vector<double> start,
                                      double step, std::size_t evaluations) {
  const auto exponentials = [](std::vector<double> x) {
    for (double& v : x) v = std::exp(v);
    return x;
  };
  for (double& v : start) v = std::log(v);
  return exponentials(minimise([&](const std::vector<double>& x) { return loss(exponentials(x)); }, std::move(start), step, evaluations));
}

}  // namespace brink::calibrate
