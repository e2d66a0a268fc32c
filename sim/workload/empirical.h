// Lengths drawn from the rows of a table.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/workload/length.h"

namespace brink::workload {

/// The columns input_tokens and output_tokens of a CSV file (.gz too).
class LengthTable {
 public:
  static constexpr std::size_t rows_max = 20'000'000;

  /// Throws Error or TraceError.
  explicit LengthTable(const std::string& path);

  [[nodiscard]] std::size_t rows() const { return rows_.size(); }
  [[nodiscard]] std::int64_t input(std::uint64_t row) const { return rows_[row].first; }
  [[nodiscard]] std::int64_t output(std::uint64_t row) const { return rows_[row].second; }

 private:
  std::vector<std::pair<std::int32_t, std::int32_t>> rows_;
};

/// One column of a table, rows equally likely.
class EmpiricalLength final : public Length {
 public:
  EmpiricalLength(std::shared_ptr<const LengthTable> table, bool input) : table_(std::move(table)), input_(input) {}
  std::int64_t tokens(const RandomStream& stream, StreamKey key, std::uint32_t draw) const override {
    const std::uint64_t row = stream.below(table_->rows(), key, draw);
    return input_ ? table_->input(row) : table_->output(row);
  }

 private:
  std::shared_ptr<const LengthTable> table_;
  bool input_;
};

}  // namespace brink::workload
