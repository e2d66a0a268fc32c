#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/gemm/row_signature.h"

namespace brink::kernels {

/// Fills with bf16(scale * keyed_normal(seed, i)): see device/numbers.h.
void fill_normal(std::uint16_t* to, std::int64_t count, std::uint64_t seed, float scale, cudaStream_t stream);
/// Fills with keyed_e4m3(seed, i).
void fill_fp8(std::uint8_t* to, std::int64_t count, std::uint64_t seed, cudaStream_t stream);
/// Adds the signature of `row` against `reference` (n bf16 numbers each) to *signature, which must be zeroed.
void sign_row(const std::uint16_t* row, const std::uint16_t* reference, int n, RowSignature* signature,
              cudaStream_t stream);

}  // namespace brink::kernels
