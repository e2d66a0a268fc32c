// Batches, settings and drift statistics of the decode_step group.
#include "kernels/decode_step/drift_stats.h"
#include "kernels/decode_step/step_batch.h"
#include "kernels/decode_step/step_settings.h"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

namespace brink::kernels {
namespace {

TEST(StepBatch, LaysOutDecodesThenChunks) {
  StepBatch batch;
  batch.table_stride = 3;
  batch.add_decode(11, 17, {4, 6});
  const std::int32_t tokens[] = {1, 2, 3};
  batch.add_chunk(tokens, 3, 15, {9, 8}, false);
  batch.add_chunk(tokens, 2, 0, {7}, true);
  EXPECT_EQ(batch.tokens, (std::vector<std::int32_t>{11, 1, 2, 3, 1, 2}));
  EXPECT_EQ(batch.positions, (std::vector<std::int32_t>{17, 15, 16, 17, 0, 1}));
  EXPECT_EQ(batch.slots, (std::vector<std::int32_t>{6 * 16 + 1, 9 * 16 + 15, 8 * 16, 8 * 16 + 1, 7 * 16, 7 * 16 + 1}));
  EXPECT_EQ(batch.contexts, (std::vector<std::int32_t>{18}));
  EXPECT_EQ(batch.tables, (std::vector<std::int32_t>{4, 6, 0, 9, 8, 0, 7, 0, 0}));
  EXPECT_EQ(batch.logit_rows, (std::vector<std::int32_t>{0, 5}));
  ASSERT_EQ(batch.chunks.size(), 2u);
  EXPECT_EQ(batch.chunks[1].row, 4);
  EXPECT_EQ(batch.chunks[1].table_row, 2);
  EXPECT_EQ(batch.chunks[0].prefix, 15);
  EXPECT_THROW(batch.add_decode(1, 0, {1}), std::invalid_argument);
  EXPECT_THROW(batch.pad_decodes(9), std::invalid_argument);
}

TEST(StepBatch, PadsWithRowsThatWriteNothing) {
  StepBatch batch;
  batch.table_stride = 1;
  batch.add_decode(11, 3, {4});
  batch.pad_decodes(4);
  EXPECT_EQ(batch.rows(), 4);
  EXPECT_EQ(batch.decodes, 4);
  EXPECT_EQ(batch.slots[3], -1);
  EXPECT_EQ(batch.contexts[3], 0);
  EXPECT_EQ(batch.logit_rows.size(), 4u);
}

TEST(StepBatch, RefusesBlocksThatAreNotThere) {
  StepBatch batch;
  batch.table_stride = 1;
  EXPECT_THROW(batch.add_decode(1, 16, {0}), std::out_of_range);
  EXPECT_THROW(batch.add_decode(1, 0, {0, 1}), std::invalid_argument);
}

StepSettings settings_of(const std::map<std::string, std::string>& variables) {
  return step_settings([&](const char* name) {
    const auto at = variables.find(name);
    return at == variables.end() ? std::string() : at->second;
  });
}

TEST(StepSettings, HaveDefaultsAndReadTheEnvironment) {
  EXPECT_EQ(settings_of({}).model, "llama-3.1-8b");
  const StepSettings s =
      settings_of({{"BRINK_STEP_MODEL", "llama-3.2-1b"}, {"BRINK_STEP_RATES", "1,2.5"}, {"BRINK_STEP_SEED", "7"}});
  EXPECT_EQ(s.model, "llama-3.2-1b");
  EXPECT_EQ(s.rates_per_s, (std::vector<double>{1, 2.5}));
  EXPECT_EQ(s.seed, 7u);
}

TEST(StepSettings, NameTheVariableThatIsWrong) {
  for (const char* rates : {"0", "-1", "x", "1,", "1,,2", "1 2"}) {
    try {
      settings_of({{"BRINK_STEP_RATES", rates}});
      ADD_FAILURE() << rates;
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find("BRINK_STEP_RATES"), std::string::npos);
    }
  }
  EXPECT_THROW(settings_of({{"BRINK_STEP_MODEL", "big"}}), std::invalid_argument);
}

TEST(DriftStats, SharesAndMargins) {
  const std::vector<TopTwo> alone = {{10, 8, 1, 2}, {10, 9, 1, 2}, {5, 4.5f, 3, 4}, {5, 1, 3, 4}};
  const std::vector<TopTwo> batched = {{10, 8, 1, 2}, {10, 9.25f, 1, 2}, {4.75f, 4.5f, 4, 3}, {5.5f, 1, 3, 4}};
  const unsigned half = 0x3f000000, quarter = 0x3e800000;
  const std::vector<RowDifference> differences = {{0, 0, 0, 0}, {7, 2, quarter, 0}, {9, 0, half, 0}, {9, 1, half, 0}};
  const std::string text = drift_json(alone, batched, differences).text();
  EXPECT_EQ(text,
            "{\"rows\":4,\"changed\":0.75,\"changed_bf16\":0.5,\"flipped\":0.25,\"top_two_reordered\":0.25,"
            "\"delta_max\":0.5,\"margin_median\":1.5,\"margin_delta_median\":0.375,\"margin_delta_p90\":0.475}");
}

}  // namespace
}  // namespace brink::kernels
