#include "calibrate/network_fit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "calibrate/collective_fit.h"
#include "calibrate/csv.h"
#include "models/base/error.h"
#include "models/fabric/nccl_tuning.h"
#include "models/plan/nccl.h"

namespace brink::calibrate {
namespace {

using cost::CollectiveCurve;

constexpr double kBinsPerOctave = 4.0;  // sizes lie close together and times are whole microseconds
constexpr Bytes kSmall = Bytes(1024.0);

std::vector<SendRecvRow> of_path(const std::vector<SendRecvRow>& rows, bool between_nodes) {
  std::vector<SendRecvRow> chosen;
  for (const SendRecvRow& row : rows)
    if (row.between_nodes == between_nodes) chosen.push_back(row);
  std::sort(chosen.begin(), chosen.end(), [](const auto& a, const auto& b) { return a.message < b.message; });
  return chosen;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

// Rows of one size range as one: median of times, geometric mean of sizes.
std::vector<CollectiveRow> binned(const std::vector<SendRecvRow>& rows) {
  std::map<std::int64_t, std::vector<const SendRecvRow*>> bins;
  for (const SendRecvRow& row : rows) bins[std::llround(std::floor(kBinsPerOctave * std::log2(row.message.value())))].push_back(&row);
  std::vector<CollectiveRow> out;
  for (const auto& bin : bins) {
    double logs = 0.0;
    std::vector<double> times;
    for (const SendRecvRow* row : bin.second) {
      logs += std::log(row->message.value());
      times.push_back(row->time.value());
    }
    const double size = std::round(std::exp(logs / static_cast<double>(times.size())));
    out.push_back({cost::CollectiveBackend::nccl, cost::CollectiveOp::send_recv, 2, Bytes(size), Seconds(median(times))});
  }
  return out;
}

void compare(std::string group, const SendRecvRow& row, Seconds predicted, bool held_out, std::vector<ValidationRow>& out) {
  out.push_back({std::move(group), fmt::format("bytes={:.0f}", row.message.value()), "latency_us", to_us(row.time), to_us(predicted), held_out});
}

// "46-48" is its middle.
double middle(std::string_view cell) {
  const std::string text(cell);
  const std::size_t dash = text.find('-', 1);
  const double low = std::stod(text);
  return dash == std::string::npos ? low : 0.5 * (low + std::stod(text.substr(dash + 1)));
}

struct TwoNodes {
  std::string_view component, begins;  // of the fact's quantity
  const char* group;
  std::optional<plan::NcclAlgorithm> algorithm;  // the fact's own, else NCCL's choice
};

}  // namespace

cost::PointToPoint fit_point_to_point(const std::vector<SendRecvRow>& rows) {
  return {fit_collective_curve(binned(of_path(rows, false))), fit_collective_curve(binned(of_path(rows, true)))};
}

void validate_point_to_point(const std::vector<SendRecvRow>& rows, std::vector<ValidationRow>& out) {
  for (const bool between : {true, false}) {
    const std::string group = between ? "send_recv_between_nodes" : "send_recv_nvlink";
    const std::vector<SendRecvRow> own = of_path(rows, between);
    const CollectiveCurve all = fit_collective_curve(binned(own));
    for (const SendRecvRow& row : own) compare(group, row, all.estimate(row.message).time, false, out);
    const std::vector<std::size_t> fold = assign_folds(own.size(), kFolds);
    for (std::size_t held = 0; held < kFolds; ++held) {
      std::vector<SendRecvRow> training;
      for (std::size_t i = 0; i < own.size(); ++i)
        if (fold[i] != held) training.push_back(own[i]);
      const CollectiveCurve curve = fit_collective_curve(binned(training));
      for (std::size_t i = 0; i < own.size(); ++i)
        if (fold[i] == held) compare(group, own[i], curve.estimate(own[i].message).time, true, out);
    }
  }
}

void validate_other_machine(const std::vector<CollectiveRow>& rows, const std::vector<cost::CollectiveCost>& fitted,
                            std::vector<ValidationRow>& out) {
  for (const CollectiveRow& row : rows)
    for (const cost::CollectiveCost& cost : fitted)
      if (cost.backend() == row.backend && cost.op() == row.op)
        out.push_back({"all_reduce_nccl_tests", fmt::format("gpus={} bytes={:.0f}", row.gpus, row.message.value()), "latency_us", to_us(row.time),
                       to_us(cost.estimate(row.gpus, row.message).time), true});
}

void validate_two_nodes(const std::string& facts, const cost::PointToPoint& measured, std::vector<ValidationRow>& out) {
  const TwoNodes known[] = {{"H20 2-node", "16-GPU NVLSTree small-message latency", "all_reduce_two_nodes", plan::NcclAlgorithm::nvls_tree},
                            {"H100 2-node", "16-GPU all-reduce small-message latency", "all_reduce_two_nodes_tcp", std::nullopt}};
  const CsvTable table = CsvTable::read(facts);
  const std::size_t component = table.column("component"), quantity = table.column("quantity"), value = table.column("value");
  const fabric::RankLayout layout{2, 8};
  const fabric::NcclSetting setting;
  for (const TwoNodes& fact : known) {
    for (std::size_t row = 0; row < table.rows(); ++row) {
      if (table.text(row, component) != fact.component || !table.text(row, quantity).starts_with(fact.begins)) continue;
      const plan::NcclChoice choice = plan::choose_nccl(cost::CollectiveOp::all_reduce, kSmall, layout, setting, {fact.algorithm, std::nullopt});
      fabric::HopAlphas hops = fabric::nccl_hops(choice.algorithm, choice.protocol, layout, setting);
      if (choice.protocol == plan::NcclProtocol::simple) hops.inter = measured.network_hop();
      const auto tuning = fabric::nccl_tuning_with({cost::CollectiveOp::all_reduce, choice.algorithm, layout, kSmall}, choice.protocol, setting, hops);
      out.push_back({fact.group, std::string(table.text(row, quantity)) + ", " + plan::tactic_name(choice), "latency_us",
                     middle(table.text(row, value)), to_us(tuning->time(kSmall)), true});
    }
  }
}

}  // namespace brink::calibrate
