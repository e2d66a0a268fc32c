// How often two executions under the load of a run sum in the same order: the run is its own sample.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace brink::serving {

/// Observations come in groups of positions that a pair of executions would share (the same block count, say). Of
/// all pairs of observations within a group, the share that ran the same order is an unbiased estimate of the
/// probability that two independent executions agree there. O(1) an observation; memory is bounded.
class OrderAgreement {
 public:
  /// `order` was run at a position of `group`.
  void observe(std::uint64_t group, std::uint64_t order);
  /// Some order was run that never comes again (a tactic that is not repeatable).
  void observe_unrepeatable(std::uint64_t group);

  /// P(two executions agree); exactly 1 while nothing ever differed, and before there is a pair.
  [[nodiscard]] double share() const { return pairs_ == equal_pairs_ ? 1.0 : equal_pairs_ / pairs_; }

  /// Distinct keys it remembers; an order that comes up later counts as seen for the first time.
  static constexpr std::size_t keys_max = std::size_t{1} << 16U;

 private:
  struct Entry {
    std::uint64_t key = 0;  // 0: free
    std::uint32_t count = 0;
  };

  /// The count of a key, made on demand; null when the table is full of others.
  std::uint32_t* find(std::uint64_t key);
  bool count_group(std::uint64_t group);
  void grow();

  std::vector<Entry> table_ = std::vector<Entry>(256);
  std::size_t used_ = 0;
  double pairs_ = 0.0, equal_pairs_ = 0.0;  // whole numbers
};

/// Both kinds of work that a request's order is observed at. Shared by the replicas of a run: two executions of a
/// request may run on either.
struct OrderAgreements {
  OrderAgreement prefill, decode;
};

}  // namespace brink::serving
