// The decode attention kernel itself, run on the CPU by the emulator, against float64.
#include "tests/support/gpu_emulator.h"

#include "kernels/attention/decode.cuh"
#include "kernels/attention/reference.h"
#include "kernels/runner/verify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace brink::kernels {
namespace {

constexpr std::uint16_t poison = 0xffff;  // a NaN: whatever reads an unwritten slot shows it

struct Problem {
  int head_size, heads_q, heads_kv;
  std::vector<int> contexts;
  int splits;
  int table_stride = 0;
  std::vector<std::uint16_t> q, k, v, out;
  std::vector<std::int32_t> tables;
  std::vector<float> partial_out, partial_max, partial_sum;

  Problem(int d, int hq, int hkv, std::vector<int> lengths, int split_count)
      : head_size(d), heads_q(hq), heads_kv(hkv), contexts(std::move(lengths)), splits(split_count) {
    int blocks = 1;  // block 0 belongs to nobody and stays poisoned
    for (const int context : contexts) {
      table_stride = std::max(table_stride, kv_blocks(context));
      blocks += kv_blocks(context);
    }
    table_stride += 1;
    const auto rows = contexts.size();
    const auto block_elements = static_cast<std::size_t>(hkv * kv_block_tokens * d);
    q.resize(rows * static_cast<std::size_t>(hq * d));
    for (std::size_t i = 0; i < q.size(); ++i) q[i] = bf16_from_float(2.0f * keyed_normal(1, i));
    k.assign(static_cast<std::size_t>(blocks) * block_elements, poison);
    v = k;
    tables.assign(rows * static_cast<std::size_t>(table_stride), 0);
    int next = blocks - 1;  // handed out downwards, so that tables are not the identity
    for (std::size_t row = 0; row < rows; ++row) {
      for (int b = 0; b < kv_blocks(contexts[row]); ++b) {
        tables[row * static_cast<std::size_t>(table_stride) + static_cast<std::size_t>(b)] = next;
        const int valid = std::min(kv_block_tokens, contexts[row] - b * kv_block_tokens);
        for (int h = 0; h < hkv; ++h) {
          for (int i = 0; i < valid * d; ++i) {
            const std::size_t at =
                static_cast<std::size_t>(next) * block_elements + static_cast<std::size_t>(h * kv_block_tokens * d + i);
            k[at] = bf16_from_float(keyed_normal(2, at));
            v[at] = bf16_from_float(keyed_normal(3, at));
          }
        }
        --next;
      }
    }
    out.assign(q.size(), poison);
    const auto partials = rows * static_cast<std::size_t>(hq * splits);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    partial_out.assign(partials * static_cast<std::size_t>(d), nan);
    partial_max.assign(partials, nan);
    partial_sum.assign(partials, nan);
  }

  void run(unsigned order = 0) {
    DecodeParams p = {q.data(),
                      k.data(),
                      v.data(),
                      tables.data(),
                      contexts.data(),
                      out.data(),
                      partial_out.data(),
                      partial_max.data(),
                      partial_sum.data(),
                      heads_q * head_size,
                      heads_q,
                      heads_kv,
                      table_stride,
                      splits,
                      static_cast<float>(1.4426950408889634 / std::sqrt(static_cast<double>(head_size)))};
    const auto rows = static_cast<unsigned>(contexts.size());
    const emulator::Dim3 grid{static_cast<unsigned>(splits), static_cast<unsigned>(heads_kv), rows};
    const emulator::Dim3 combine{static_cast<unsigned>(heads_q), rows, 1};
    const auto d = static_cast<unsigned>(head_size);
    if (head_size == 64) {
      emulator::launch(
          grid, {decode_threads, 1, 1}, [&] { decode_attention<64>(p); }, order);
      if (splits > 1)
        emulator::launch(
            combine, {d, 1, 1}, [&] { combine_splits<64>(p); }, order);
    } else {
      emulator::launch(
          grid, {decode_threads, 1, 1}, [&] { decode_attention<128>(p); }, order);
      if (splits > 1)
        emulator::launch(
            combine, {d, 1, 1}, [&] { combine_splits<128>(p); }, order);
    }
  }

  std::vector<double> expected() const {
    std::vector<double> all;
    for (std::size_t row = 0; row < contexts.size(); ++row) {
      const std::int32_t* table = &tables[row * static_cast<std::size_t>(table_stride)];
      for (int head = 0; head < heads_q; ++head) {
        const int kv_head = head / (heads_q / heads_kv);
        const PagedHead keys{k.data(), table, heads_kv, kv_head, head_size};
        const PagedHead values{v.data(), table, heads_kv, kv_head, head_size};
        const auto one = attend(&q[(row * static_cast<std::size_t>(heads_q) + static_cast<std::size_t>(head)) *
                                   static_cast<std::size_t>(head_size)],
                                head_size, contexts[row], keys, values);
        all.insert(all.end(), one.begin(), one.end());
      }
    }
    return all;
  }

  void verify() const {
    std::vector<float> got(out.size());
    std::transform(out.begin(), out.end(), got.begin(), bf16_to_float);
    const auto want = expected();
    // Weights and outputs are rounded to bf16 (2^-9 each, relative): 4e-3 is twice their sum.
    EXPECT_NO_THROW(require_close("decode attention", got.data(), want.data(), got.size(), 4e-3));
  }
};

TEST(AttentionDecode, MatchesFloat64ForEveryHeadSizeGroupAndRaggedContext) {
  for (const int d : {64, 128}) {
    for (const auto& [hq, hkv] : std::vector<std::pair<int, int>>{{1, 1}, {8, 2}, {7, 1}, {16, 1}, {12, 1}}) {
      SCOPED_TRACE("head size " + std::to_string(d) + ", heads " + std::to_string(hq) + "/" + std::to_string(hkv));
      Problem problem(d, hq, hkv, {1, 15, 16, 17, 131}, 1);
      problem.run();
      problem.verify();
    }
  }
}

TEST(AttentionDecode, SplitsMatchFloat64IncludingEmptyOnes) {
  for (const int splits : {2, 3, 8}) {
    SCOPED_TRACE(splits);
    Problem problem(128, 8, 2, {5, 128, 129, 400, 1000}, splits);
    problem.run();
    problem.verify();
  }
}

TEST(AttentionDecode, PaddingRowsGiveZeros) {
  for (const int splits : {1, 4}) {
    Problem problem(64, 4, 2, {40, 0}, splits);
    problem.run();
    for (std::size_t i = problem.out.size() / 2; i < problem.out.size(); ++i) EXPECT_EQ(problem.out[i], 0);
    problem.verify();
  }
}

TEST(AttentionDecode, BitsDependOnSplitsButNotOnThreadOrderOrNeighbours) {
  Problem one(128, 4, 1, {300}, 1);
  one.run(0);
  for (const unsigned order : {1u, 3u}) {
    Problem again(128, 4, 1, {300}, 1);
    again.run(order);
    EXPECT_EQ(again.out, one.out);
  }
  Problem split(128, 4, 1, {300}, 3);
  split.run();
  EXPECT_NE(split.out, one.out);  // three partial sums round differently from one
  Problem split_backwards(128, 4, 1, {300}, 3);
  split_backwards.run(1);
  EXPECT_EQ(split_backwards.out, split.out);
}

TEST(AttentionDecode, AWrongTableEntryIsSeen) {
  Problem problem(64, 4, 2, {64}, 1);
  problem.run();
  const auto right = problem.out;
  std::swap(problem.tables[0], problem.tables[1]);  // softmax does not care for order, positions do not enter
  problem.run();
  problem.verify();
  problem.tables[0] = 0;  // the poisoned block
  problem.run();
  EXPECT_TRUE(std::isnan(bf16_to_float(problem.out[0])));
}

TEST(AttentionSplits, RangesCoverTheContextOnceInGranules) {
  for (int context = 0; context <= 1200; context += 7) {
    for (int splits = 1; splits <= splits_max; ++splits) {
      int at = 0;
      for (int s = 0; s < splits; ++s) {
        const SplitRange range = split_range(context, splits, s);
        ASSERT_EQ(range.begin, std::min(at, kv_blocks(context)));
        ASSERT_GE(range.end, range.begin);
        if (range.end < kv_blocks(context)) {
          ASSERT_EQ(range.end % split_granule_blocks, 0);
        }
        at = range.end;
      }
      ASSERT_EQ(at, kv_blocks(context)) << context << " tokens in " << splits;
    }
  }
}

TEST(AttentionSplits, BoundariesMoveOnlyAcrossMultiplesOf128Tokens) {
  const auto first_end = [](int context) { return split_range(context, 4, 0).end; };
  EXPECT_EQ(first_end(1025), first_end(1536));
  EXPECT_NE(first_end(1536), first_end(1537));
}

TEST(AttentionSplits, FillTheDeviceTwiceUpToTheCap) {
  EXPECT_EQ(splits_for_batch(1, 8, 132), 32);  // 264 / 8 = 33, capped
  EXPECT_EQ(splits_for_batch(16, 8, 132), 3);  // ceil(264 / 128)
  EXPECT_EQ(splits_for_batch(64, 8, 132), 1);
}

}  // namespace
}  // namespace brink::kernels
