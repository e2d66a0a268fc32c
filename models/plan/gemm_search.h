// The fastest legal tactic of a catalogue for one shape, by the time model of gemm_time.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/base/units.h"
#include "models/plan/gemm_catalogue.h"
#include "models/plan/gemm_time.h"
#include "models/plan/tactic.h"

namespace brink::plan {

/// One tactic: indices into the catalogue's family.
struct GemmTactic {
  std::size_t tile = 0, cluster = 0, reduction = 0;
  std::int64_t split = 1;

  friend bool operator==(const GemmTactic&, const GemmTactic&) = default;
};

/// What a search may use.
struct GemmLimits {
  Bytes workspace = mib(32);
  bool splits = true;
};

/// Timing noise of an autotuned start-up: tactics are compared by time * (1 + noise * normal).
struct TuningNoise {
  double relative = 0.0;  // standard deviation; 0: none
  std::uint64_t seed = 0, replica = 0;
};

class GemmSearch {
 public:
  explicit GemmSearch(GemmCatalogue catalogue);

  /// Index of the first family of a precision whose alignment holds, or `families().size()`.
  [[nodiscard]] std::size_t family(const GemmShape& shape, Precision precision) const;
  /// False when an earlier family of the precision was skipped over for its alignment.
  [[nodiscard]] bool preferred(std::size_t family) const;

  /// The tactic of least time. With more workspace it never takes longer. Ties go to the earlier tile and to
  /// fewer splits.
  [[nodiscard]] GemmTactic fastest(const GemmShape& shape, std::size_t family, const GemmLimits& limits,
                                   const TuningNoise& noise = {}) const;
  [[nodiscard]] bool legal(const GemmShape& shape, std::size_t family, const GemmTactic& tactic,
                           const GemmLimits& limits) const;
  [[nodiscard]] TacticWork work(const GemmShape& shape, std::size_t family, const GemmTactic& tactic) const;

  /// "bf16/64x8_64x16_4x1_TNT_splitK3": features x tokens _ k step x stages _ cluster; TNT has features in the
  /// MMA's rows, TNN tokens (as the kernels of public H100 profiles are named).
  [[nodiscard]] std::string name(std::size_t family, const GemmTactic& tactic) const;
  /// What decides the bits: instruction family, promotion, split count and boundaries, type of the partial sums.
  [[nodiscard]] ReductionSig signature(const GemmShape& shape, std::size_t family, const GemmTactic& tactic) const;
  [[nodiscard]] bool repeatable(std::size_t family, const GemmTactic& tactic) const;

  [[nodiscard]] const GemmCatalogue& catalogue() const { return catalogue_; }
  [[nodiscard]] const std::vector<GemmFamily>& families() const { return catalogue_.families; }

 private:
  /// Visits the legal tactics that may be faster than `cutoff`, which the visitor may lower.
  template <class Visit>
  void each_legal(const GemmShape& shape, std::size_t family, const GemmLimits& limits, const Seconds& cutoff,
                  Visit visit) const;
  GemmTactic tuned(const GemmShape& shape, std::size_t family, const GemmLimits& limits, const TuningNoise& noise,
                   Seconds fastest) const;

  /// What does not depend on the shape, by family, tile and cluster.
  struct Prepared {
    Seconds step{0.0};
    std::int64_t slots = 1;
  };

  GemmCatalogue catalogue_;
  std::vector<std::vector<std::vector<Prepared>>> prepared_;
};

/// A word for a name in a signature: FNV-1a, 64 bits (Fowler, Noll, Vo).
[[nodiscard]] std::uint64_t name_hash(std::string_view name);

}  // namespace brink::plan
