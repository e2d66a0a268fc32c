#pragma once

#include <cstdint>
#include <vector>

namespace brink::kernels {

/// A prefill chunk within a step's batch.
struct StepChunk {
  int row;        ///< of its first token in the batch
  int count;      ///< tokens
  int prefix;     ///< tokens before them, in the cache
  int table_row;  ///< of its block table
};

/// A step as the device takes it: decode rows first, then chunks.
struct StepBatch {
  int decodes = 0;
  int table_stride = 0;
  std::vector<std::int32_t> tokens, positions, slots;  // by row
  std::vector<std::int32_t> contexts;                  // of decode rows, this step's token included
  std::vector<std::int32_t> tables;                    // [decodes + chunks][table_stride]
  std::vector<StepChunk> chunks;
  std::vector<std::int32_t> logit_rows;  // rows whose logits are wanted

  int rows() const { return static_cast<int>(tokens.size()); }

  /// Adds one row at the front part: the token at `position` of a sequence with these blocks. Only before chunks.
  void add_decode(std::int32_t token, int position, const std::vector<int>& blocks);
  /// Adds `count` tokens from `position` on; their last row gives logits if `samples`.
  void add_chunk(const std::int32_t* chunk_tokens, int count, int position, const std::vector<int>& blocks,
                 bool samples);
  /// Adds padding rows up to `rows`: token 0, nothing written to the cache, an empty context. Only without chunks.
  void pad_decodes(int rows);

 private:
  void add_table(const std::vector<int>& blocks);
  void add_row(std::int32_t token, int position, const std::vector<int>& blocks);
};

}  // namespace brink::kernels
