#include "models/cost/surface_grid.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace brink::cost {
namespace {

constexpr std::size_t kSlabsMax = 64;  // head layouts one process meets; beyond, one makes room

struct Cell {
  std::size_t index;
  double share;  // of the next node
};

Cell locate(double coordinate, double low, double high, int first, std::size_t nodes) {
  const double position = std::log2(std::clamp(coordinate, low, high)) * SurfaceGrid::kNodesPerOctave - first;
  const double below = std::clamp(std::floor(position), 0.0, static_cast<double>(nodes - 1));
  return {static_cast<std::size_t>(below), std::clamp(position - below, 0.0, 1.0)};
}

}  // namespace

SurfaceGrid::SurfaceGrid(EfficiencySurface surface) : surface_(std::move(surface)) {
  if (surface_.axes().size() != 3 || surface_.outputs() != 1) throw std::invalid_argument("surface grid: needs three axes and one output");
  const auto span = [&](std::size_t axis) {
    Axis a;
    a.low = surface_.low(axis);
    a.high = surface_.high(axis);
    a.first = static_cast<int>(std::floor(std::log2(a.low) * kNodesPerOctave));
    a.nodes = static_cast<std::size_t>(static_cast<int>(std::ceil(std::log2(a.high) * kNodesPerOctave)) - a.first) + 1;
    return a;
  };
  x_ = span(0);
  y_ = span(1);
}

double SurfaceGrid::node(std::vector<double>& slab, std::size_t i, std::size_t j, double third) const {
  double& value = slab[i * y_.nodes + j];
  if (std::isnan(value)) {
    const auto coordinate = [](const Axis& axis, std::size_t index) {
      return std::exp2((axis.first + static_cast<double>(index)) / kNodesPerOctave);
    };
    value = surface_.value({coordinate(x_, i), coordinate(y_, j), third});
  }
  return value;
}

double SurfaceGrid::value(const std::vector<double>& at) const {
  // Beyond the range every coordinate means the edge: one slab serves them all.
  const double third = std::clamp(at.at(2), surface_.low(2), surface_.high(2));
  auto slab = slabs_.find(third);
  if (slab == slabs_.end()) {
    if (slabs_.size() >= kSlabsMax) slabs_.erase(slabs_.begin());
    slab = slabs_.emplace(third, std::vector<double>(x_.nodes * y_.nodes, std::numeric_limits<double>::quiet_NaN())).first;
  }
  const Cell x = locate(at[0], x_.low, x_.high, x_.first, x_.nodes), y = locate(at[1], y_.low, y_.high, y_.first, y_.nodes);
  double sum = 0.0;
  for (const auto& [i, wx] : {std::pair{x.index, 1.0 - x.share}, std::pair{x.index + 1, x.share}})
    for (const auto& [j, wy] : {std::pair{y.index, 1.0 - y.share}, std::pair{y.index + 1, y.share}})
      if (wx * wy > 0.0) sum += wx * wy * node(slab->second, i, j, third);
  return sum;
}

}  // namespace brink::cost
