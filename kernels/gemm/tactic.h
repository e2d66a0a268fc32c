#pragma once

#include <cstdint>
#include <string>

#include "kernels/runner/json.h"

namespace brink::kernels {

/// What cuBLASLt says of an algorithm it chose. The numbers are the library's enumerators (cublasLt.h); names that
/// are easy to read ("64x256", "2x1x1") are added where the enumerator is known.
struct Tactic {
  std::int32_t id = -1;  ///< -1: no algorithm fits
  std::uint32_t tile = 0;
  std::uint32_t stages = 0;
  std::int32_t split_k = 0;
  std::uint32_t reduction = 0;
  std::uint32_t swizzle = 0;
  std::uint32_t custom = 0;
  std::uint32_t inner = 0;
  std::uint32_t cluster = 0;
  std::uint64_t workspace_bytes = 0;

  friend bool operator==(const Tactic& a, const Tactic& b) {
    return a.id == b.id && a.tile == b.tile && a.stages == b.stages && a.split_k == b.split_k &&
           a.reduction == b.reduction && a.swizzle == b.swizzle && a.custom == b.custom && a.inner == b.inner &&
           a.cluster == b.cluster;
  }
  friend bool operator!=(const Tactic& a, const Tactic& b) { return !(a == b); }
};

/// "66/t23/s37/k4/r2/w0/c0/i0/g5": every field that `==` compares, in one word for keys and tables.
std::string tactic_name(const Tactic& tactic);
/// "128x64" of a cublasLtMatmulTile_t, "" for an enumerator this program does not know.
std::string tile_name(std::uint32_t tile);
/// "2x1x1" of a cublasLtClusterShape_t, "auto" for 0, "" if unknown.
std::string cluster_name(std::uint32_t cluster);
/// All fields and the readable names.
JsonObject tactic_json(const Tactic& tactic);

}  // namespace brink::kernels
