#pragma once

#include <cstdint>

#include "kernels/device/numbers.h"

namespace brink::kernels {

/// What is kept of one output row: its name and its distance to a reference row.
struct RowSignature {
  unsigned long long hash;       // sum of hash_term over the row
  unsigned long long ulp_total;  // sum over elements of the distance to the reference in units of the last place
  unsigned changed;              // elements whose bits differ from the reference
  unsigned poisoned;             // elements still at 0xffff
  unsigned delta_max_bits;       // largest |difference|, as the bits of a float
  unsigned pad;
};

/// bf16 bits as an integer that counts representable values: neighbours differ by 1, and -0 equals +0.
BRINK_HOST_DEVICE inline std::int32_t bf16_ordinal(std::uint16_t bits) {
  const std::int32_t magnitude = bits & 0x7fff;
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

}  // namespace brink::kernels
