#pragma once

namespace brink::kernels {

/// The two largest logits of a row, in nats, and where they are.
struct TopTwo {
  float first;
  float second;
  int first_at;
  int second_at;
};

/// Distance of a row of fp32 logits to the same row of another execution.
struct RowDifference {
  unsigned changed;         ///< logits whose fp32 bits differ
  unsigned changed_bf16;    ///< logits that differ after rounding to bf16, as engines that keep bf16 logits see it
  unsigned delta_max_bits;  ///< largest |difference|, as the bits of a float
  unsigned pad;
};

}  // namespace brink::kernels
