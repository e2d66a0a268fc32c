// Known answers of the split rules on an H100 (132 SMs), computed from the libraries' own formulas.
#include "models/plan/attention_splits.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace brink::plan {
namespace {

constexpr std::int64_t sms = 132;

// "hk=N" starts a block; a line is "L=<tokens>: <splits at each batch>".
constexpr const char* fa2_table = R"(hk=1
L=512: 4 4 4 4 4 4 4 4 4 4 4 2
L=1024: 8 8 8 8 8 8 8 8 8 8 4 2
L=2048: 16 16 16 16 16 8 8 8 8 8 4 2
L=2047: 16 16 16 16 16 8 8 8 8 8 4 2
L=4096: 32 32 32 32 16 11 11 7 7 7 4 2
L=8192: 64 64 64 32 16 13 10 10 8 7 4 2
L=16384: 128 128 64 32 15 13 10 9 9 7 4 2
L=32768: 128 128 64 29 14 13 10 9 9 7 4 2
L=131072: 114 114 57 28 14 14 10 9 9 7 4 2
hk=2
L=512: 4 4 4 4 4 4 4 4 4 4 2 1
L=1024: 8 8 8 8 8 4 4 4 4 4 2 1
L=2048: 16 16 16 16 8 6 16 4 4 4 2 1
L=2047: 16 16 16 16 8 6 16 4 4 4 2 1
L=4096: 32 32 32 16 7 6 5 5 4 4 2 1
L=8192: 64 64 32 16 7 7 5 5 4 4 2 1
L=16384: 128 64 32 15 7 7 5 5 9 4 2 1
L=32768: 128 64 29 14 7 7 5 5 9 4 2 1
L=131072: 114 57 28 14 7 7 5 5 9 4 2 1
hk=4
L=512: 4 4 4 4 4 2 2 2 2 2 1 1
L=1024: 8 8 8 8 4 3 8 2 2 2 1 1
L=2048: 16 16 16 8 4 3 8 2 2 2 1 1
L=2047: 16 16 16 8 4 3 8 2 2 2 1 1
L=4096: 32 32 16 7 4 7 5 5 2 2 1 1
L=8192: 64 32 16 7 4 7 5 5 7 2 1 1
L=16384: 64 32 15 7 4 7 5 5 7 2 1 1
L=32768: 64 29 14 7 4 7 5 5 7 2 1 1
L=131072: 57 28 14 7 4 7 5 5 7 2 1 1
hk=8
L=512: 4 4 4 4 2 4 4 1 1 1 1 1
L=1024: 8 8 8 4 2 3 4 1 1 1 1 1
L=2048: 16 16 8 4 2 8 4 6 1 1 1 1
L=2047: 16 16 8 4 2 8 4 6 1 1 1 1
L=4096: 32 16 7 4 2 5 4 5 1 1 1 1
L=8192: 32 16 7 4 2 5 4 5 1 1 1 1
L=16384: 32 15 7 4 2 5 4 5 1 1 1 1
L=32768: 29 14 7 4 2 5 4 5 1 1 1 1
L=131072: 28 14 7 4 2 5 4 5 1 1 1 1
hk=32
L=512: 4 4 2 1 1 1 1 1 1 1 1 1
L=1024: 8 4 2 1 1 1 1 1 1 1 1 1
L=2048: 8 4 2 1 1 1 1 1 1 1 1 1
L=2047: 8 4 2 1 1 1 1 1 1 1 1 1
L=4096: 7 4 2 1 1 1 1 1 1 1 1 1
L=8192: 7 4 2 1 1 1 1 1 1 1 1 1
L=16384: 7 4 2 1 1 1 1 1 1 1 1 1
L=32768: 7 4 2 1 1 1 1 1 1 1 1 1
L=131072: 7 4 2 1 1 1 1 1 1 1 1 1)";
constexpr std::array<std::int64_t, 12> fa2_batches = {1, 2, 4, 8, 16, 17, 24, 26, 27, 32, 64, 128};

constexpr const char* fa3_table = R"(hk=1
L=512: 1 1 1 1 1 1 1 1 1 1 1 1
L=640: 5 5 5 5 5 5 5 5 5 4 2 1
L=1024: 7 7 7 7 7 7 7 6 5 4 2 1
L=2048: 14 14 14 14 9 8 7 7 5 4 2 1
L=2047: 14 14 14 14 9 8 7 7 5 4 2 1
L=4096: 28 28 28 14 9 8 7 7 5 4 2 1
L=8192: 55 55 29 15 9 8 8 7 5 4 2 1
L=16384: 109 57 29 15 9 9 8 7 5 4 2 1
L=32768: 109 57 29 15 9 9 8 7 5 4 2 1
L=131072: 109 57 29 15 9 9 8 7 5 4 2 1
hk=2
L=512: 1 1 1 1 1 1 1 1 1 1 1 1
L=640: 5 5 5 5 5 4 4 3 5 2 1 1
L=1024: 7 7 7 7 5 4 4 3 5 2 1 1
L=2048: 14 14 14 7 5 4 4 7 5 2 1 1
L=2047: 14 14 14 7 5 4 4 7 5 2 1 1
L=4096: 28 28 14 7 5 4 4 7 5 2 1 1
L=8192: 55 29 15 8 5 9 4 7 5 2 1 1
L=16384: 57 29 15 8 5 9 4 7 5 2 1 1
L=32768: 57 29 15 8 5 9 4 7 5 2 1 1
L=131072: 57 29 15 8 5 9 4 7 5 2 1 1
hk=4
L=512: 1 1 1 1 1 1 1 1 1 1 1 1
L=640: 5 5 5 4 5 2 2 3 4 1 1 1
L=1024: 7 7 7 4 5 2 2 3 4 1 1 1
L=2048: 14 14 7 4 5 2 2 5 4 1 1 1
L=2047: 14 14 7 4 5 2 2 5 4 1 1 1
L=4096: 28 14 7 4 5 2 2 5 4 1 1 1
L=8192: 29 15 8 4 5 7 2 5 4 1 1 1
L=16384: 29 15 8 4 5 7 2 5 4 1 1 1
L=32768: 29 15 8 4 5 7 2 5 4 1 1 1
L=131072: 29 15 8 4 5 7 2 5 4 1 1 1
hk=8
L=512: 1 1 1 1 1 1 1 1 1 1 1 1
L=640: 5 5 4 2 5 1 1 1 1 1 1 1
L=1024: 7 7 4 2 5 1 1 1 1 1 1 1
L=2048: 14 7 4 2 5 1 1 1 1 1 1 1
L=2047: 14 7 4 2 5 1 1 1 1 1 1 1
L=4096: 14 7 4 2 5 1 1 1 1 1 1 1
L=8192: 15 8 4 2 5 1 1 1 1 1 1 1
L=16384: 15 8 4 2 5 1 1 1 1 1 1 1
L=32768: 15 8 4 2 5 1 1 1 1 1 1 1
L=131072: 15 8 4 2 5 1 1 1 1 1 1 1)";
constexpr std::array<std::int64_t, 12> fa3_batches = {1, 2, 4, 8, 13, 14, 16, 17, 24, 32, 64, 106};

// "B>=<batch>:<splits>": the splits from that batch on.
constexpr const char* dynamic_table = R"(hk=1
L=512 nb=4: B>=1:4 B>=31:2 B>=91:1
L=1024 nb=8: B>=1:8 B>=16:4 B>=31:3 B>=46:2 B>=106:1
L=2048 nb=16: B>=1:16 B>=8:8 B>=16:6 B>=23:4 B>=38:3 B>=53:2 B>=113:1
L=4096 nb=32: B>=1:32 B>=4:16 B>=8:11 B>=12:8 B>=16:7 B>=19:6 B>=23:5 B>=27:4 B>=38:3 B>=57:2 B>=117:1
L=8192 nb=64: B>=1:32 B>=4:22 B>=6:16 B>=8:13 B>=10:11 B>=12:10 B>=14:8 B>=17:7 B>=19:6 B>=23:5 B>=29:4 B>=40:3 B>=59:2 B>=119:1
L=32768 nb=256: B>=1:32 B>=4:29 B>=5:24 B>=6:20 B>=7:18 B>=8:15 B>=9:13 B>=10:12 B>=11:11 B>=12:10 B>=14:9 B>=15:8 B>=17:7 B>=20:6 B>=24:5 B>=30:4 B>=40:3 B>=60:2 B>=120:1
hk=2
L=512 nb=4: B>=1:4 B>=16:2 B>=46:1
L=1024 nb=8: B>=1:8 B>=8:4 B>=16:3 B>=23:2 B>=53:1
L=2048 nb=16: B>=1:16 B>=4:8 B>=8:6 B>=12:4 B>=19:3 B>=27:2 B>=57:1
L=4096 nb=32: B>=1:32 B>=2:16 B>=4:11 B>=6:8 B>=8:7 B>=10:6 B>=12:5 B>=14:4 B>=19:3 B>=29:2 B>=59:1
L=8192 nb=64: B>=1:32 B>=2:22 B>=3:16 B>=4:13 B>=5:11 B>=6:10 B>=7:8 B>=9:7 B>=10:6 B>=12:5 B>=15:4 B>=20:3 B>=30:2 B>=60:1
L=32768 nb=256: B>=1:32 B>=2:29 B>=3:20 B>=4:15 B>=5:12 B>=6:10 B>=7:9 B>=8:8 B>=9:7 B>=10:6 B>=12:5 B>=15:4 B>=20:3 B>=30:2 B>=60:1
hk=4
L=512 nb=4: B>=1:4 B>=8:2 B>=23:1
L=1024 nb=8: B>=1:8 B>=4:4 B>=8:3 B>=12:2 B>=27:1
L=2048 nb=16: B>=1:16 B>=2:8 B>=4:6 B>=6:4 B>=10:3 B>=14:2 B>=29:1
L=4096 nb=32: B>=1:16 B>=2:11 B>=3:8 B>=4:7 B>=5:6 B>=6:5 B>=7:4 B>=10:3 B>=15:2 B>=30:1
L=8192 nb=64: B>=1:22 B>=2:13 B>=3:10 B>=4:8 B>=5:6 B>=6:5 B>=8:4 B>=10:3 B>=15:2 B>=30:1
L=32768 nb=256: B>=1:29 B>=2:15 B>=3:10 B>=4:8 B>=5:6 B>=6:5 B>=8:4 B>=10:3 B>=15:2 B>=30:1
hk=8
L=512 nb=4: B>=1:4 B>=4:2 B>=12:1
L=1024 nb=8: B>=1:8 B>=2:4 B>=4:3 B>=6:2 B>=14:1
L=2048 nb=16: B>=1:8 B>=2:6 B>=3:4 B>=5:3 B>=7:2 B>=15:1
L=4096 nb=32: B>=1:11 B>=2:7 B>=3:5 B>=4:4 B>=5:3 B>=8:2 B>=15:1
L=8192 nb=64: B>=1:13 B>=2:8 B>=3:5 B>=4:4 B>=5:3 B>=8:2 B>=15:1
L=32768 nb=256: B>=1:15 B>=2:8 B>=3:5 B>=4:4 B>=5:3 B>=8:2 B>=15:1)";

constexpr const char* flashinfer_table = R"(gdy=1 B=1 L=2048(128 pages): chunk_pages=8 chunks_per_req=16 new_batch=16
gdy=1 B=4 L=2048(128 pages): chunk_pages=8 chunks_per_req=16 new_batch=64
gdy=1 B=8 L=2048(128 pages): chunk_pages=8 chunks_per_req=16 new_batch=128
gdy=1 B=16 L=2048(128 pages): chunk_pages=8 chunks_per_req=16 new_batch=256
gdy=1 B=17 L=2048(128 pages): chunk_pages=9 chunks_per_req=15 new_batch=255
gdy=1 B=32 L=2048(128 pages): chunk_pages=16 chunks_per_req=8 new_batch=256
gdy=1 B=33 L=2048(128 pages): chunk_pages=16 chunks_per_req=8 new_batch=264
gdy=1 B=64 L=2048(128 pages): chunk_pages=32 chunks_per_req=4 new_batch=256
gdy=8 B=1 L=2048(128 pages): chunk_pages=8 chunks_per_req=16 new_batch=16
gdy=8 B=4 L=2048(128 pages): chunk_pages=16 chunks_per_req=8 new_batch=32
gdy=8 B=8 L=2048(128 pages): chunk_pages=32 chunks_per_req=4 new_batch=32
gdy=8 B=16 L=2048(128 pages): chunk_pages=64 chunks_per_req=2 new_batch=32
gdy=8 B=17 L=2048(128 pages): chunk_pages=128 chunks_per_req=1 new_batch=17
gdy=8 B=32 L=2048(128 pages): chunk_pages=128 chunks_per_req=1 new_batch=32
gdy=8 B=33 L=2048 -> no split
gdy=8 B=64 L=2048 -> no split)";

std::int64_t number_after(const std::string& text, const std::string& key) {
  const auto at = text.find(key);
  return at == std::string::npos ? -1 : std::stoll(text.substr(at + key.size()));
}

UniformSplitInput uniform(std::int64_t batch, std::int64_t kv_heads, std::int64_t length) {
  UniformSplitInput in;
  in.tiles = batch * kv_heads;
  in.sm_count = sms;
  in.blocks = ceil_div(length, 128);
  return in;
}

using Rule = std::int64_t (*)(const UniformSplitInput&);

int check_table(const char* table, const std::array<std::int64_t, 12>& batches, Rule rule) {
  std::istringstream lines(table);
  std::int64_t kv_heads = 0;
  int checked = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("hk=")) {
      kv_heads = number_after(line, "hk=");
      continue;
    }
    const std::int64_t length = number_after(line, "L=");
    std::istringstream values(line.substr(line.find(':') + 1));
    for (const std::int64_t batch : batches) {
      std::int64_t want = 0;
      values >> want;
      EXPECT_EQ(rule(uniform(batch, kv_heads, length)), want) << "h_k " << kv_heads << " L " << length << " B " << batch;
      ++checked;
    }
  }
  return checked;
}

TEST(AttentionSplits, FlashAttention2Table) { EXPECT_EQ(check_table(fa2_table, fa2_batches, fa2_splits), 540); }
TEST(AttentionSplits, FlashAttention3StaticTable) { EXPECT_EQ(check_table(fa3_table, fa3_batches, fa3_static_splits), 480); }

TEST(AttentionSplits, FlashAttention2KnownAnswers) {
  const auto at = [](std::int64_t batch, std::int64_t kv_heads) { return fa2_splits(uniform(batch, kv_heads, 2048)); };
  EXPECT_EQ(at(16, 8), 2);
  EXPECT_EQ(at(17, 8), 8);
  EXPECT_EQ(at(16, 4), 4);
  EXPECT_EQ(at(17, 4), 3);
  EXPECT_EQ(at(16, 2), 8);
  EXPECT_EQ(at(17, 2), 6);
  EXPECT_EQ(at(16, 1), 16);
  EXPECT_EQ(at(17, 1), 8);
  EXPECT_EQ(at(26, 8), 6);
  EXPECT_EQ(at(27, 8), 1);
  // The comment in the library: 48 tiles on 108 slots (54 SMs here), two splits at 0.889 beat three at 0.667.
  UniformSplitInput in;
  in.tiles = 48;
  in.sm_count = 54;
  in.blocks = 1000;
  EXPECT_EQ(fa2_splits(in), 2);
}

TEST(AttentionSplits, FlashAttention3StaticSplitsLongHeadsOnlyForManyQueriesWithoutCausality) {
  UniformSplitInput in;
  in.tiles = 1000;
  in.blocks = 2000;
  in.query_tiles = 264;
  in.kv_head = mib(120);
  EXPECT_EQ(fa3_static_splits(in), 1);
  in.causal = false;
  EXPECT_EQ(fa3_static_splits(in), 3);
  in.query_tiles = 263;
  EXPECT_EQ(fa3_static_splits(in), 1);
  in.query_tiles = 264;
  in.kv_head = mib(50);
  EXPECT_EQ(fa3_static_splits(in), 1);
}

std::int64_t dynamic(std::int64_t batch, std::int64_t kv_heads, std::int64_t blocks) {
  return fa3_dynamic_splits(blocks, fa3_blocks_per_split(batch * blocks, kv_heads, sms), 32);
}

TEST(AttentionSplits, FlashAttention3DynamicTable) {
  std::istringstream lines(dynamic_table);
  std::int64_t kv_heads = 0, checked = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("hk=")) {
      kv_heads = number_after(line, "hk=");
      continue;
    }
    const std::int64_t blocks = number_after(line, "nb=");
    std::int64_t current = 0, batch = 0;
    std::vector<std::pair<std::int64_t, std::int64_t>> steps;
    std::istringstream words(line.substr(line.find("B>=")));
    for (std::string word; words >> word; ++checked) steps.emplace_back(number_after(word, "B>="), number_after(word, ":"));
    for (std::size_t i = 0; i < steps.size(); ++i) {
      current = steps[i].second;
      const std::int64_t until = i + 1 < steps.size() ? steps[i + 1].first : steps[i].first + 200;
      for (batch = steps[i].first; batch < until; ++batch)
        ASSERT_EQ(dynamic(batch, kv_heads, blocks), current) << "h_k " << kv_heads << " blocks " << blocks << " B " << batch;
    }
  }
  EXPECT_EQ(checked, 194);
}

TEST(AttentionSplits, FlashAttention3DynamicNeighbours) {
  const auto with = [](std::int64_t kv_heads, std::int64_t neighbours) {
    return fa3_dynamic_splits(16, fa3_blocks_per_split(16 + 256 * neighbours, kv_heads, sms), 32);
  };
  EXPECT_EQ(with(1, 0), 16);
  EXPECT_EQ(with(1, 1), 6);
  EXPECT_EQ(with(1, 8), 1);
  EXPECT_EQ(with(8, 0), 8);
  EXPECT_EQ(with(8, 1), 1);
  EXPECT_EQ(with(8, 8), 1);
}

TEST(AttentionSplits, FlashInferTable) {
  std::istringstream lines(flashinfer_table);
  int checked = 0;
  for (std::string line; std::getline(lines, line); ++checked) {
    const FlashInferGrid grid{264, number_after(line, "gdy="), 16};
    const std::int64_t batch = number_after(line, "B=");
    const std::vector<std::int64_t> pages(static_cast<std::size_t>(batch), 128);
    const std::int64_t chunk = flashinfer_chunk_pages(pages, grid);
    EXPECT_EQ(flashinfer_chunk_pages_from_sums(batch, 128 * batch, 128, grid), chunk) << line;
    if (line.find("no split") != std::string::npos) {
      EXPECT_EQ(chunk, 0) << line;
      continue;
    }
    EXPECT_EQ(chunk, number_after(line, "chunk_pages=")) << line;
    EXPECT_EQ(ceil_div(128, chunk), number_after(line, "chunks_per_req=")) << line;
    EXPECT_EQ(ceil_div(128, chunk) * batch, number_after(line, "new_batch=")) << line;
  }
  EXPECT_EQ(checked, 16);
}

// The exact chunk is the smallest that fits, and both it and the one from sums lie within the stated bounds.
TEST(AttentionSplits, FlashInferFromSumsOnRandomBatches) {
  std::mt19937_64 random(7);
  double worst = 0.0;
  for (int trial = 0; trial < 3000; ++trial) {
    const FlashInferGrid grid{264, std::int64_t{1} << random() % 4, 16};
    const std::int64_t most = grid.grid / grid.kv_heads + 2;
    std::vector<std::int64_t> pages(1 + random() % static_cast<std::uint64_t>(most));
    std::int64_t sum = 0, longest = 0;
    for (auto& p : pages) {
      p = 1 + static_cast<std::int64_t>(random() % 2048);
      sum += p;
      longest = std::max(longest, p);
    }
    const auto batch = static_cast<std::int64_t>(pages.size());
    const std::int64_t exact = flashinfer_chunk_pages(pages, grid), estimate = flashinfer_chunk_pages_from_sums(batch, sum, longest, grid);
    const ChunkBounds bounds = flashinfer_chunk_bounds(batch, sum, longest, grid);
    ASSERT_EQ(exact == 0, estimate == 0);
    if (exact == 0) continue;
    ASSERT_LE(bounds.low, exact);
    ASSERT_GE(bounds.high, exact);
    ASSERT_LE(bounds.low, estimate);
    ASSERT_GE(bounds.high, estimate);
    const auto chunks = [&](std::int64_t chunk) {
      std::int64_t n = 0;
      for (const auto p : pages) n += ceil_div(p, chunk);
      return n * grid.kv_heads;
    };
    ASSERT_LE(chunks(exact), grid.grid);
    if (exact > 8) {
      ASSERT_GT(chunks(exact - 1), grid.grid);
    }
    // Far from a full grid a chunk's rounding is small against the room, and so is the estimate's error.
    if (4 * batch <= grid.grid / grid.kv_heads)
      worst = std::max(worst, std::abs(static_cast<double>(estimate - exact)) / static_cast<double>(exact));
  }
  RecordProperty("worst_relative_error", std::to_string(worst));
  EXPECT_LT(worst, 0.25);
}

// Longer neighbours never give a sequence more splits, and a longer sequence never fewer.
TEST(AttentionSplits, DynamicSplitsAreMonotone) {
  std::mt19937_64 random(11);
  for (int trial = 0; trial < 20'000; ++trial) {
    const std::int64_t kv_heads = std::int64_t{1} << random() % 6;
    const auto work = static_cast<std::int64_t>(1 + random() % 100'000), more = work + static_cast<std::int64_t>(random() % 5000);
    const auto blocks = static_cast<std::int64_t>(1 + random() % 1024);
    const std::int64_t few = fa3_blocks_per_split(work, kv_heads, sms), many = fa3_blocks_per_split(more, kv_heads, sms);
    ASSERT_LE(few, many);
    ASSERT_GE(fa3_dynamic_splits(blocks, few, 32), fa3_dynamic_splits(blocks, many, 32));
    ASSERT_LE(fa3_dynamic_splits(blocks, few, 32), fa3_dynamic_splits(blocks + 1, few, 32));
    ASSERT_LE(fa3_dynamic_splits(blocks, few, 32), 32);
  }
}

}  // namespace
}  // namespace brink::plan
