// The GEMM library's choices on one GPU: which tactic runs at which number of rows, how long, and which
// row counts give the same bits. Measured row by row; nothing here is a law.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "models/base/object_reader.h"
#include "models/base/units.h"
#include "models/cost/gemm_cost.h"

namespace brink::cost {

/// What the library runs for Y[m, n] = X[m, k] W[n, k]^T under one workspace limit.
struct GemmTacticTable {
  GemmType type = GemmType::bf16;
  std::int64_t n = 1, k = 1;
  Bytes workspace{0.0};

  /// Equal choices of neighbouring m, both ends included; ascending, not overlapping. Gaps were not asked.
  struct Choice {
    std::int64_t first, last;
    std::size_t tactic;  ///< index into GemmTactics::names
  };
  /// Row 0 of the product has the same bits for every m of a class; class 0 is that of m = 1.
  struct BitClass {
    std::int64_t first, last, bits;
  };
  struct Timed {
    std::int64_t m;
    std::size_t tactic;
    Seconds time;
  };
  /// How row 0 of a class differs from that of class 0.
  struct ClassFacts {
    double changed = 0.0;    ///< share of the row's elements
    double ulps = 0.0;       ///< mean distance of the changed ones
    double delta_max = 0.0;  ///< largest |difference|
  };
  std::vector<Choice> chosen;
  std::vector<BitClass> bit_classes;
  std::vector<ClassFacts> classes;  ///< by class number
  std::vector<Timed> timed;  ///< by (m, tactic); the chosen tactic and candidates alike

  [[nodiscard]] std::optional<std::size_t> tactic(std::int64_t m) const;
  [[nodiscard]] std::optional<std::int64_t> bits(std::int64_t m) const;
  /// Measured time of a tactic at exactly this m.
  [[nodiscard]] std::optional<Seconds> time(std::int64_t m, std::size_t tactic) const;
};

/// Row 0 of decode attention by KV splits: splits of one class give the same bits; class 0 is that of one split.
struct SplitBits {
  std::int64_t query_heads = 1, kv_heads = 1, head_dimension = 128, batch = 1, context = 1;
  std::vector<GemmTacticTable::BitClass> bit_classes;  ///< runs of split counts
  std::vector<GemmTacticTable::ClassFacts> classes;
};

/// The `tactics` section of a profile.
struct GemmTactics {
  /// "66/t23/s37/k4/r2/w0/c0/i0/g5": algorithm, tile, stages, split-K, reduction scheme, CTA swizzle, custom
  /// option, inner shape, cluster; the numbers are the library's enumerators (cublasLt.h).
  std::vector<std::string> names;
  std::vector<GemmTacticTable> tables;
  /// RMSNorm by threads a block: equal `bits` sum in the same order.
  struct NormBits {
    std::int64_t hidden, block_threads, bits;
  };
  std::vector<NormBits> norms;
  std::vector<SplitBits> attention;
  std::string library;  ///< "cublasLt 130000": choices hold for this version only

  /// The table of a shape under a workspace limit, or nullptr.
  [[nodiscard]] const GemmTacticTable* find(GemmType type, std::int64_t n, std::int64_t k, Bytes workspace) const;
  /// Split-K factor of a tactic, from its name.
  [[nodiscard]] std::int64_t split_k(std::size_t tactic) const;

  /// Throws ConfigError for a field that is missing, mistyped, unknown or out of range, runs that
  /// overlap, or a tactic without a name.
  static GemmTactics from_json(ObjectReader reader);
  [[nodiscard]] Json to_json() const;
};

/// "bf16", "fp8", "fp8_block": the names profiles and result files use.
[[nodiscard]] const std::vector<std::string>& gemm_type_names();

}  // namespace brink::cost
