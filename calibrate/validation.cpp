#include "calibrate/validation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "models/cost/significant.h"

namespace brink::calibrate {

std::vector<GroupError> summarise(const std::vector<ValidationRow>& rows) {
  std::vector<GroupError> groups;
  std::vector<std::vector<double>> errors;
  for (const ValidationRow& row : rows) {
    const auto found = std::find_if(groups.begin(), groups.end(), [&](const GroupError& g) { return g.group == row.group && g.held_out == row.held_out; });
    const auto index = static_cast<std::size_t>(found - groups.begin());
    if (found == groups.end()) {
      groups.push_back({row.group, row.held_out, 0, 0.0, 0.0, 0.0});
      errors.emplace_back();
    }
    errors[index].push_back(std::abs(row.predicted / row.measured - 1.0));
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    std::vector<double>& e = errors[i];
    std::sort(e.begin(), e.end());
    const double rank = 0.95 * static_cast<double>(e.size() - 1);
    const auto low = static_cast<std::size_t>(rank);
    const std::size_t high = std::min(low + 1, e.size() - 1);
    groups[i].count = e.size();
    groups[i].mape = std::accumulate(e.begin(), e.end(), 0.0) / static_cast<double>(e.size());
    groups[i].p95 = e[low] + (rank - static_cast<double>(low)) * (e[high] - e[low]);
    groups[i].worst = e.back();
  }
  std::stable_sort(groups.begin(), groups.end(), [](const GroupError& a, const GroupError& b) { return a.held_out < b.held_out; });
  return groups;
}

Json to_json(const std::vector<ValidationRow>& rows) {
  Json list = Json::array();
  for (const ValidationRow& row : rows) {
    Json& item = list.push_back(Json::object());
    item.set("group", row.group);
    item.set("id", row.id);
    item.set("metric", row.metric);
    item.set("measured", cost::round_significant(row.measured));
    item.set("predicted", cost::round_significant(row.predicted));
    item.set("held_out", row.held_out);
  }
  return list;
}

Json to_json(const std::vector<GroupError>& errors) {
  Json list = Json::array();
  for (const GroupError& error : errors) {
    Json& item = list.push_back(Json::object());
    item.set("group", error.group);
    item.set("held_out", error.held_out);
    item.set("count", static_cast<std::int64_t>(error.count));
    item.set("mape", cost::round_significant(error.mape, 4));
    item.set("p95", cost::round_significant(error.p95, 4));
    item.set("worst", cost::round_significant(error.worst, 4));
  }
  return list;
}

std::vector<std::size_t> assign_folds(std::size_t count, std::size_t folds) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937_64 generator(20240501);  // any fixed seed: only repeatability matters
  // std::shuffle differs between standard libraries; this does not.
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[generator() % i]);
  std::vector<std::size_t> fold(count);
  for (std::size_t i = 0; i < count; ++i) fold[order[i]] = i % folds;
  return fold;
}

}  // namespace brink::calibrate
