#pragma once

#include <cstdio>
#include <set>
#include <string>
#include <string_view>

namespace brink::kernels {

/// The results file: JSON Lines, only ever appended to, one line at a time. A point that is in
/// the file, measured, skipped or failed, is not measured again.
class Ledger {
 public:
  /// Opens `path` for appending. With `resume` false the file must be absent or empty. A last
  /// line that a killed run left unfinished is cut off. Failures recorded in the first
  /// `forget_failed_bytes` bytes do not count: those points may be measured again.
  /// Throws std::runtime_error with the reason.
  Ledger(const std::string& path, bool resume, long forget_failed_bytes = 0);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  bool holds(std::string_view group, std::string_view key) const;
  /// Appends a line and hands it to the operating system before it returns, so that it outlives
  /// this process. Throws std::runtime_error if the disk refuses it or the file passes its limit.
  void append(const std::string& line);

  /// The "gpu" of the last header that was in the file; empty if there was none.
  const std::string& previous_gpu() const { return previous_gpu_; }
  std::size_t points_found() const { return done_.size(); }
  long bytes() const { return bytes_; }

  static constexpr long bytes_max = 16L << 20;  ///< of the whole file: what comes back from a lent machine

 private:
  void read(const std::string& path, long forget_failed_bytes);

  std::FILE* file_ = nullptr;
  std::string path_;
  std::string previous_gpu_;
  std::set<std::string> done_;  // group + "/" + key
  long bytes_ = 0;
};

}  // namespace brink::kernels
