#pragma once

#include <cstdint>

#include "kernels/attention/split_plan.h"

namespace brink::kernels {

constexpr int decode_warps = 4;
constexpr int decode_threads = 32 * decode_warps;
constexpr int group_max = 16;  // query heads a KV head may serve

struct DecodeParams {
  const std::uint16_t* q;            // [batch] rows of q_stride elements, each starting with [heads_q][D]
  const std::uint16_t* k_cache;      // [blocks][heads_kv][16][D]
  const std::uint16_t* v_cache;      // as k_cache
  const std::int32_t* block_tables;  // [batch][table_stride], entries up to the context are valid blocks
  const std::int32_t* contexts;      // [batch]; 0 marks a padding row, whose output is 0
  std::uint16_t* out;                // [batch][heads_q][D]
  float* partial_out;                // [batch][heads_q][splits][D], unnormalised; unused if splits == 1
  float* partial_max;                // [batch][heads_q][splits], in units of log2
  float* partial_sum;                // [batch][heads_q][splits]
  std::int64_t q_stride;
  int heads_q;
  int heads_kv;
  int table_stride;
  int splits;
  float scale_log2;  // log2(e) / sqrt(D)
};

}  // namespace brink::kernels
