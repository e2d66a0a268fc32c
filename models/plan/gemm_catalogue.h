// The tactics of the GEMM libraries as data: what exists, not what is chosen. The default one states its source;
// calibration replaces it by what the library enumerates on real hardware.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "models/base/units.h"
#include "models/plan/tactic.h"

namespace brink::plan {

/// Thread blocks that share operands by multicast, along each side of the output.
struct Cluster {
  std::int64_t features = 1, tokens = 1;
};

/// Output tile of one thread block of Y[tokens, features].
struct GemmTile {
  std::int64_t features = 64, tokens = 64;
  bool token_rows = false;  // the side in the MMA's 64 rows: tokens, else features
  std::int64_t stages = 4;  // of the operand pipeline
  std::vector<Cluster> clusters;
};

/// How the partial sums of split-K meet. `deterministic`: in a fixed order, not by atomics.
struct SplitReduction {
  std::string name;      // cublasLt.h spelling: "compute_type", "output_type"
  std::string partials;  // their type: "fp32", "bf16"
  std::int64_t partial_bytes = 4;
  bool deterministic = true;
};

/// Tactics that share instructions, and so the bits of an unsplit sum.
struct GemmFamily {
  static constexpr std::size_t kSplitsMax = 64;
  std::string name;
  Precision precision = Precision::bf16;
  std::string mma;             // family of the multiply-accumulate instruction
  bool exact = false;          // integer sums: every order gives the same bits
  std::int64_t promotion = 0;  // elements of k between promotions to fp32; 0: never
  std::int64_t element_bytes = 2;
  double mma_per_cycle = 2048.0;          // multiply-adds per SM and cycle
  std::int64_t align_n = 1, align_k = 1;  // both dimensions are multiples of these
  std::int64_t k_step = 64;               // elements of k a pipeline stage holds
  std::vector<std::int64_t> splits;       // ascending from 1
  std::vector<SplitReduction> reductions;
  std::vector<GemmTile> tiles;
};

/// What the time of a tactic follows from: rates of one GPU and the fixed costs of its library.
struct GemmMachine {
  std::int64_t sm_count = 132;
  Hertz clock{1.83e9};
  BytesPerSecond hbm{2.89e12};
  double operand_bytes_per_cycle = 32.7;  // per SM, from L2
  double shared_bytes_per_cycle = 128.0;  // per SM, operands read by the MMA
  double mma_efficiency = 0.87;           // of the MMA rate, inside a tile
  Seconds launch{2.21e-6};
  Seconds tile_fixed{1.09e-6};            // prologue and epilogue of a wave
  Seconds reduction_fixed{2.06e-6};       // the second kernel of split-K
  BytesPerSecond reduction_rate{9.5e12};  // partial sums written and read
  FlopsPerSecond scalar{66.9e12};         // FMA units, no tensor cores
};

struct GemmCatalogue {
  std::string name, source;
  std::int64_t sm_count = 132;        // that of `machine`
  Bytes default_workspace = mib(32);  // what the measured tables ran with
  GemmMachine machine;
  std::vector<GemmFamily> families;  // of one precision: the first whose alignment holds is used

  /// Throws ConfigError (file and pointer named).
  static GemmCatalogue load(const std::string& path);
  /// Throws ConfigError for a field that is missing, mistyped, unknown or out of range, a tile set or precision
  /// that does not exist, splits that do not ascend from 1, or an object without source.
  static GemmCatalogue from_json(const Json& document);
};

}  // namespace brink::plan
