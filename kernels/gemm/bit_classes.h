#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/gemm/row_signature.h"
#include "kernels/gemm/tactic.h"
#include "kernels/runner/json.h"

namespace brink::kernels {

/// Row 0 of Y[m, n] as computed among m rows.
struct RowAt {
  Tactic tactic;
  RowSignature row;  ///< against row 0 of m = 1
};

/// The map m -> (tactic, class of bits) of m = 1, 2, ..., run-length encoded. Class 0 is that of m = 1, further
/// classes are numbered as they appear; -1 marks rows for which no algorithm fits.
/// "runs": [m_first, m_last, tactic, class], ...; "tactics": names; "classes": hash, the share of the row's `n`
/// elements that changed, mean distance in ulps of those, and the largest |difference|.
/// Throws WrongResult if a row was not fully written, or if a hash equal to class 0's comes with changed elements.
JsonObject bit_class_map(const std::vector<RowAt>& rows, std::int64_t n);

/// The map m -> tactic of m = 1, 2, ...: "runs": [m_first, m_last, tactic], ... and "tactics" in full.
JsonObject tactic_map(const std::vector<Tactic>& tactics);

}  // namespace brink::kernels
