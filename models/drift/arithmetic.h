// Number formats as rounding sees them.
#pragma once

#include <cstdint>

namespace brink::drift {

/// What a computation accumulates into or stores its results as.
enum class Arithmetic : std::uint8_t { fp32, tf32, fp16, bf16, fp8_e4m3, fp8_e5m2, int8 };
[[nodiscard]] const char* name(Arithmetic arithmetic);

/// Half the distance from 1 to the next number: 2^-24 for FP32, 2^-11 for TF32 and FP16, 2^-8 for BF16, 2^-4 and
/// 2^-3 for FP8. 0 for INT8: sums of products of 8-bit integers in 32 bits are exact in any order.
[[nodiscard]] double unit_roundoff(Arithmetic arithmetic);

}  // namespace brink::drift
