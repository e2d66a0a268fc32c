#include "models/plan/cuda_graphs.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace brink::plan {
namespace {

TEST(CudaGraphs, FiftyOneSizesUpTo512) {
  const auto sizes = cuda_graph_sizes(256);
  EXPECT_EQ(sizes.size(), 51u);
  EXPECT_EQ(sizes.back(), 512);
  EXPECT_EQ(std::vector<std::int64_t>(sizes.begin(), sizes.begin() + 5), (std::vector<std::int64_t>{1, 2, 4, 8, 16}));
  EXPECT_EQ(cuda_graph_sizes(1024), sizes);
}

TEST(CudaGraphs, KnownPaddings) {
  EXPECT_EQ(padded_tokens(17, 512), 24);
  EXPECT_EQ(padded_tokens(249, 512), 256);
  EXPECT_EQ(padded_tokens(257, 512), 272);
  EXPECT_EQ(padded_tokens(1, 512), 1);
  EXPECT_EQ(padded_tokens(3, 512), 4);
  EXPECT_EQ(padded_tokens(5, 512), 8);
  EXPECT_EQ(padded_tokens(512, 512), 512);
  EXPECT_EQ(padded_tokens(513, 512), std::nullopt);
  EXPECT_EQ(padded_tokens(0, 512), std::nullopt);
}

// Padding by arithmetic equals a search of the list, for every engine limit.
TEST(CudaGraphs, PaddingIsTheNextCapturedSize) {
  for (std::int64_t seqs : {1, 2, 3, 4, 5, 7, 100, 128, 129, 255, 256, 1024}) {
    const auto sizes = cuda_graph_sizes(seqs);
    EXPECT_EQ(sizes.back(), cuda_graph_max(seqs));
    EXPECT_LE(sizes.back(), std::min<std::int64_t>(2 * seqs, 512));
    for (std::int64_t tokens = 1; tokens <= 600; ++tokens) {
      const auto next = std::lower_bound(sizes.begin(), sizes.end(), tokens);
      const auto expected = next == sizes.end() ? std::nullopt : std::optional(*next);
      ASSERT_EQ(padded_tokens(tokens, cuda_graph_max(seqs)), expected) << tokens << " of " << seqs;
    }
  }
}

TEST(CudaGraphs, NoneCapturedNothingPads) {
  EXPECT_TRUE(cuda_graph_sizes(0).empty());
  EXPECT_EQ(cuda_graph_max(0), 0);
  EXPECT_EQ(padded_tokens(1, 0), std::nullopt);
}

}  // namespace
}  // namespace brink::plan
