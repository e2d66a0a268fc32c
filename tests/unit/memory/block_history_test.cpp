// The segments against a queue of real block numbers.
#include "models/memory/block_history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <vector>

#include "models/base/error.h"
#include "models/base/random.h"

namespace brink::memory {
namespace {

/// Every block by its number, as the engine keeps them.
class NaivePool {
 public:
  explicit NaivePool(std::int64_t blocks) {
    for (std::int64_t b = 0; b < blocks; ++b) free_.push_back(b);
  }
  std::int64_t pop() {
    const std::int64_t b = free_.front();
    free_.pop_front();
    return b;
  }
  void give_back(const std::vector<std::int64_t>& table) { free_.insert(free_.end(), table.rbegin(), table.rend()); }

 private:
  std::deque<std::int64_t> free_;
};

struct Running {
  std::vector<std::int64_t> numbers;
  BlockTable table;
  std::int64_t grown = 0, phase = 0, left = 0;
};

double naive_scatter(const std::vector<Running>& running) {
  std::int64_t breaks = 0, pairs = 0;
  for (const Running& r : running) {
    for (std::size_t i = 1; i < r.numbers.size(); ++i) {
      ++pairs;
      breaks += std::abs(r.numbers[i] - r.numbers[i - 1]) == 1 ? 0 : 1;
    }
  }
  return pairs > 0 ? static_cast<double>(breaks) / static_cast<double>(pairs) : 0.0;
}

struct Load {
  std::int64_t pool, prompt_min, prompt_max, output_blocks;
  double arrivals;
};

struct Difference {
  double worst = 0.0, mean = 0.0, reached = 0.0;
};

/// Of the two over a run, after each step.
Difference difference(const Load& load, std::uint64_t seed) {
  const RandomStream random(seed, "blocks");
  NaivePool naive(load.pool);
  BlockHistory history(load.pool);
  std::vector<Running> running;
  Difference out;
  std::uint32_t draw = 0;
  for (int step = 0; step < 3000; ++step) {
    while (random.uniform({0}, draw++) < load.arrivals) {
      const auto spread = static_cast<std::uint64_t>(load.prompt_max - load.prompt_min + 1);
      const auto prompt = load.prompt_min + static_cast<std::int64_t>(random.below(spread, {1}, draw++));
      if (history.free() < prompt + static_cast<std::int64_t>(running.size()) + 1) break;
      Running r;
      r.left = 1 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(16 * load.output_blocks), {2}, draw++));
      r.phase = static_cast<std::int64_t>(random.below(16, {3}, draw++));
      for (std::int64_t i = 0; i < prompt; ++i) r.numbers.push_back(naive.pop());
      history.take(r.table, prompt);
      running.push_back(r);
    }
    std::int64_t opened = 0;
    for (Running& r : running) {
      if ((r.phase + step) % 16 != 0 || history.free() - opened == 0) continue;
      r.numbers.push_back(naive.pop());
      ++r.grown;
      ++opened;
    }
    history.grow(opened, static_cast<std::int64_t>(running.size()));
    for (std::size_t i = 0; i < running.size();) {
      if (--running[i].left > 0) {
        ++i;
        continue;
      }
      naive.give_back(running[i].numbers);
      history.give_back(running[i].table, running[i].grown);
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
    }
    const double off = std::abs(history.scatter() - naive_scatter(running));
    out.worst = std::max(out.worst, off);
    out.mean += off / 3000.0;
    out.reached = std::max(out.reached, history.scatter());
  }
  return out;
}

// The model smears breaks within a segment, so moments with few sequences differ most.
TEST(BlockHistory, AgainstRealBlockNumbers) {
  for (const Load& load : {Load{4000, 4, 60, 8, 0.5}, Load{20'000, 20, 200, 20, 0.4}, Load{2000, 10, 10, 2, 0.7},
                           Load{3000, 1, 400, 1, 0.3}}) {
    for (std::uint64_t seed = 0; seed < 2; ++seed) {
      SCOPED_TRACE(testing::Message() << "prompts of " << load.prompt_min << ".." << load.prompt_max << ", seed " << seed);
      const Difference d = difference(load, seed);
      const bool many = load.output_blocks > 1;  // tens of sequences run; else a handful, and one of them decides
      EXPECT_LT(d.mean, many ? 0.01 : 0.03);
      EXPECT_LT(d.worst, many ? 0.1 : 0.6);
      EXPECT_GT(d.reached, 0.1);
    }
  }
}

TEST(BlockHistory, AFreshPoolIsInOrder) {
  BlockHistory history(1000);
  EXPECT_EQ(history.scatter(), 0.0);
  EXPECT_EQ(history.run_blocks(), 0.0);
  BlockTable a, b;
  history.take(a, 10);
  history.take(b, 30);
  EXPECT_EQ(history.scatter(), 0.0);
  EXPECT_EQ(history.run_blocks(), 20.0);
  history.take(a, 5);  // b was served since
  EXPECT_DOUBLE_EQ(history.scatter(), 1.0 / 43.0);
  EXPECT_DOUBLE_EQ(history.run_blocks(), 15.0);
  EXPECT_EQ(history.free(), 955);
}

TEST(BlockHistory, OneSequenceAloneStaysInOnePiece) {
  BlockHistory history(1000);
  BlockTable a;
  history.take(a, 10);
  for (int i = 0; i < 50; ++i) history.grow(1, 1);
  EXPECT_EQ(history.scatter(), 0.0);
  history.give_back(a, 50);
  EXPECT_EQ(history.free(), 1000);
}

TEST(BlockHistory, DecodingTogetherScatters) {
  BlockHistory history(1000);
  BlockTable a, b;
  history.take(a, 10);
  history.take(b, 10);
  history.grow(2, 2);
  EXPECT_DOUBLE_EQ(history.scatter(), 2.0 / 20.0);
}

TEST(BlockHistory, HeldBlocksComeBackLater) {
  BlockHistory history(100);
  BlockTable a, b;
  history.take(a, 40);
  history.take(b, 10);
  history.grow(4, 2);
  history.give_back(a, 2, 12);
  EXPECT_EQ(history.free(), 76);
  history.put_back(5);
  history.put_back(7);
  EXPECT_EQ(history.free(), 88);
  EXPECT_THROW(history.put_back(1), Error);
  EXPECT_THROW(history.take(b, 89), Error);
}

}  // namespace
}  // namespace brink::memory
