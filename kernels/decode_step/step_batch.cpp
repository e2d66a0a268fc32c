#include "kernels/decode_step/step_batch.h"

#include <stdexcept>

#include "kernels/attention/split_plan.h"

namespace brink::kernels {

void StepBatch::add_table(const std::vector<int>& blocks) {
  if (static_cast<int>(blocks.size()) > table_stride) throw std::invalid_argument("a context is longer than its table");
  tables.insert(tables.end(), blocks.begin(), blocks.end());
  tables.insert(tables.end(), static_cast<std::size_t>(table_stride) - blocks.size(), 0);
}

void StepBatch::add_row(std::int32_t token, int position, const std::vector<int>& blocks) {
  tokens.push_back(token);
  positions.push_back(position);
  const int block = blocks.at(static_cast<std::size_t>(position / kv_block_tokens));
  slots.push_back(block * kv_block_tokens + position % kv_block_tokens);
}

void StepBatch::add_decode(std::int32_t token, int position, const std::vector<int>& blocks) {
  if (!chunks.empty()) throw std::invalid_argument("decode rows come before chunks");
  logit_rows.push_back(rows());
  add_row(token, position, blocks);
  contexts.push_back(position + 1);
  add_table(blocks);
  ++decodes;
}

void StepBatch::add_chunk(const std::int32_t* chunk_tokens, int count, int position, const std::vector<int>& blocks,
                          bool samples) {
  chunks.push_back({rows(), count, position, decodes + static_cast<int>(chunks.size())});
  for (int i = 0; i < count; ++i) add_row(chunk_tokens[i], position + i, blocks);
  add_table(blocks);
  if (samples) logit_rows.push_back(rows() - 1);
}

void StepBatch::pad_decodes(int padded) {
  if (!chunks.empty()) throw std::invalid_argument("only steps without chunks are padded");
  while (rows() < padded) {
    logit_rows.push_back(rows());
    tokens.push_back(0);
    positions.push_back(0);
    slots.push_back(-1);
    contexts.push_back(0);
    add_table({});
    ++decodes;
  }
}

}  // namespace brink::kernels
