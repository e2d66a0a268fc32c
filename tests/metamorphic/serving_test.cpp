// Relations between runs that hold whatever the right answer is; 100 random configurations each.
// Times are multiples of 1/16 and the scale factors powers of two, so all sums are exact and
// "equal" means bit by bit.
#include <algorithm>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/random_scene.h"

namespace brink::testing {
namespace {

void set_pool_for_all(Rig& rig) {
  const auto& e = rig.engine;
  rig.engine.kv_blocks = e.max_num_seqs * ((e.max_model_len + e.block_size - 1) / e.block_size);
}

void for_scenes(const std::function<void(std::uint64_t)>& check) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    check(seed);
    if (::testing::Test::HasFailure()) return;
  }
}

/// Records by request id, for comparisons that do not mind the order of ends.
std::vector<serving::RequestRecord> by_id(const Recording& recording) {
  auto records = recording.requests;
  std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return records;
}

struct Same {
  double scale = 1.0, shift = 0.0, response = 0.0;
};

void expect_life(const serving::RequestRecord& got, const serving::RequestRecord& want, Same same = {}) {
  const auto moved = [&](Seconds t) { return t.value() * same.scale + same.shift; };
  EXPECT_EQ(got.sent.value(), moved(want.sent));
  EXPECT_EQ(got.queued.value(), moved(want.queued));
  EXPECT_EQ(got.scheduled.value(), moved(want.scheduled));
  EXPECT_EQ(got.first_token.value(), moved(want.first_token) + same.response);
  EXPECT_EQ(got.finish.value(), moved(want.finish) + same.response);
  EXPECT_EQ(got.preemptions, want.preemptions);
  EXPECT_EQ(got.output_tokens, want.output_tokens);
  EXPECT_EQ(got.outcome, want.outcome);
}

void expect_same(const Recording& got, const Recording& want, Same same = {}) {
  const auto g = by_id(got), w = by_id(want);
  ASSERT_EQ(g.size(), w.size());
  for (std::size_t i = 0; i < g.size(); ++i) expect_life(g[i], w[i], same);
}

TEST(metamorphic, the_same_again_is_the_same) {
  for_scenes([](std::uint64_t seed) {
    const Scene a = random_scene(seed), b = random_scene(seed);
    const Recording first = run_fake(a.rig, a.requests), second = run_fake(b.rig, b.requests);
    expect_same(second, first);
    ASSERT_EQ(first.steps.size(), second.steps.size());
    for (std::size_t i = 0; i < first.steps.size(); ++i) {
      EXPECT_EQ(first.steps[i].end, second.steps[i].end);
      EXPECT_EQ(first.steps[i].replica, second.steps[i].replica);
      EXPECT_EQ(first.steps[i].kv_blocks_used, second.steps[i].kv_blocks_used);
    }
  });
}

TEST(metamorphic, time_has_no_scale) {
  for_scenes([](std::uint64_t seed) {
    const Scene a = random_scene(seed), b = random_scene(seed, 1024.0);
    expect_same(run_fake(b.rig, b.requests), run_fake(a.rig, a.requests), {1024.0, 0.0, 0.0});
  });
}

TEST(metamorphic, time_has_no_origin) {
  for_scenes([](std::uint64_t seed) {
    const Scene a = random_scene(seed);
    Scene b = random_scene(seed);
    for (auto& r : b.requests) r.arrival += Seconds(4096.0);
    expect_same(run_fake(b.rig, b.requests), run_fake(a.rig, a.requests), {1.0, 4096.0, 0.0});
  });
}

TEST(metamorphic, replicas_have_no_names) {
  for_scenes([](std::uint64_t seed) {
    const Scene a = random_scene(seed);
    // The costs move on by one replica, and so does the round robin: a request that is refused
    // at the door takes the first turn.
    Scene b = random_scene(seed, 1.0, 1);
    b.requests.insert(b.requests.begin(), {RequestId{}, Seconds(0.0), b.rig.engine.max_model_len, 1});
    const auto plain = by_id(run_fake(a.rig, a.requests)), moved = by_id(run_fake(b.rig, b.requests));
    ASSERT_EQ(moved.size(), plain.size() + 1);
    for (std::size_t i = 0; i < plain.size(); ++i) {
      expect_life(moved[i + 1], plain[i]);
      EXPECT_EQ(moved[i + 1].replica.value, (plain[i].replica.value + 1) % a.rig.replicas);
    }
  });
}

TEST(metamorphic, a_second_cluster_beside_changes_nothing) {
  for_scenes([](std::uint64_t seed) {
    Scene a = random_scene(seed);
    a.rig.replicas = 1;
    a.rig.cost = [](std::size_t) { return cost_of(2, 1, 1.0); };
    Scene b = a;
    b.rig.replicas = 2;
    b.requests.clear();
    for (const auto& r : a.requests) b.requests.insert(b.requests.end(), 2, r);
    const auto one = by_id(run_fake(a.rig, a.requests)), two = by_id(run_fake(b.rig, b.requests));
    for (std::size_t i = 0; i < one.size(); ++i) {
      expect_life(two[2 * i], one[i]);
      expect_life(two[2 * i + 1], one[i]);
    }
  });
}

TEST(metamorphic, kv_for_every_seat_is_enough) {
  for_scenes([](std::uint64_t seed) {
    Scene a = random_scene(seed);
    set_pool_for_all(a.rig);
    Scene b = a;
    b.rig.engine.kv_blocks *= 3;
    const Recording enough = run_fake(a.rig, a.requests);
    for (const auto& r : enough.requests) EXPECT_EQ(r.preemptions, 0);
    expect_same(run_fake(b.rig, b.requests), enough);
  });
}

TEST(metamorphic, block_size_is_nothing_where_kv_is_plenty) {
  for_scenes([](std::uint64_t seed) {
    Scene a = random_scene(seed);
    a.rig.engine.kv_blocks = 1 << 20;
    Scene b = a;
    b.rig.engine.block_size = a.rig.engine.block_size == 16 ? 3 : 16;
    expect_same(run_fake(b.rig, b.requests), run_fake(a.rig, a.requests));
  });
}

TEST(metamorphic, seats_nobody_takes_change_nothing) {
  for_scenes([](std::uint64_t seed) {
    Scene a = random_scene(seed);
    a.rig.engine.max_num_seqs = static_cast<std::int64_t>(a.requests.size());
    a.rig.engine.max_num_batched_tokens = std::max<std::int64_t>(a.rig.engine.max_num_batched_tokens, 200);
    Scene b = a;
    b.rig.engine.max_num_seqs *= 2;
    expect_same(run_fake(b.rig, b.requests), run_fake(a.rig, a.requests));
  });
}

TEST(metamorphic, budget_nobody_needs_changes_nothing_and_cuts_nothing) {
  for_scenes([](std::uint64_t seed) {
    Scene a = random_scene(seed);
    a.rig.engine.max_num_batched_tokens = 40 * 100 + 16;
    Scene b = a, c = a;
    b.rig.engine.max_num_batched_tokens *= 2;
    c.rig.engine.chunked_prefill = false;
    const Recording want = run_fake(a.rig, a.requests);
    expect_same(run_fake(b.rig, b.requests), want);
    expect_same(run_fake(c.rig, c.requests), want);
  });
}

TEST(metamorphic, a_cap_nobody_reaches_changes_nothing) {
  for_scenes([](std::uint64_t seed) {
    const Scene a = random_scene(seed);
    Scene b = a;
    b.rig.max_in_flight = static_cast<std::int64_t>(a.requests.size());
    expect_same(run_fake(b.rig, b.requests), run_fake(a.rig, a.requests));
  });
}

TEST(metamorphic, the_future_does_not_change_the_past) {
  for_scenes([](std::uint64_t seed) {
    const Scene a = random_scene(seed);
    Scene b = a;
    b.requests.pop_back();
    const auto all = by_id(run_fake(a.rig, a.requests)), less = by_id(run_fake(b.rig, b.requests));
    const Seconds last = a.requests.back().arrival;
    for (std::size_t i = 0; i < less.size(); ++i) {
      // Whatever ended before the last arrival cannot know of it.
      if (less[i].finish < last) expect_life(all[i], less[i]);
      if (less[i].finish < last) continue;
      EXPECT_GE(all[i].finish, last);
    }
  });
}

TEST(metamorphic, the_way_back_delays_answers_by_itself) {
  for_scenes([](std::uint64_t seed) {
    const Scene a = random_scene(seed);
    Scene b = a;
    b.rig.front_end.response_latency = Seconds(0.25);
    expect_same(run_fake(b.rig, b.requests), run_fake(a.rig, a.requests), {1.0, 0.0, 0.25});
  });
}

TEST(metamorphic, with_one_replica_every_router_is_the_same) {
  for_scenes([](std::uint64_t seed) {
    Scene a = random_scene(seed);
    a.rig.replicas = 1;
    a.rig.cost = [](std::size_t) { return cost_of(2, 1, 1.0); };
    const Recording want = run_fake(a.rig, a.requests);
    for (const auto& name : policy::router_names()) {
      a.rig.router = name;
      expect_same(run_fake(a.rig, a.requests), want);
    }
  });
}

TEST(metamorphic, what_is_beyond_the_context_does_not_matter) {
  for_scenes([](std::uint64_t seed) {
    Scene a = random_scene(seed), b = a;
    const std::int64_t longest = a.rig.engine.max_model_len;
    for (auto& r : a.requests) r.output_tokens = longest - r.input_tokens;
    for (auto& r : b.requests) r.output_tokens = 10 * longest;
    expect_same(run_fake(b.rig, b.requests), run_fake(a.rig, a.requests));
  });
}

TEST(metamorphic, listening_does_not_influence) {
  for_scenes([](std::uint64_t seed) {
    Scene a = random_scene(seed);
    const auto shapes_with = [&](serving::IRecorder& recorder) {
      std::vector<double> shapes;
      Rig rig = a.rig;
      rig.cost = [&](std::size_t i) {
        return [&, inner = a.rig.cost(i)](const cost::StepShape& s) {
          shapes.push_back(static_cast<double>(s.decode_context) + 1e6 * static_cast<double>(s.decode_sequences));
          return inner(s);
        };
      };
      run_fake(rig, list_source(a.requests), recorder);
      return shapes;
    };
    NullRecorder deaf;
    Recording listens;
    EXPECT_EQ(shapes_with(deaf), shapes_with(listens));
  });
}

TEST(metamorphic, alone_a_request_takes_the_bare_model) {
  for_scenes([](std::uint64_t seed) {
    Scene a = random_scene(seed);
    a.rig.engine.async_scheduling = false;
    a.requests.resize(1);
    const auto& r = a.requests[0];
    const auto cost = a.rig.cost(0);
    // Step by step: chunks of the budget, then one token at a time.
    double at = r.arrival.value(), first = 0.0;
    std::uint64_t step = 0;
    for (std::int64_t done = 0; done < r.input_tokens;) {
      const std::int64_t tokens = std::min(r.input_tokens - done, a.rig.engine.max_num_batched_tokens);
      const cost::PrefillChunk chunk{tokens, done, done + tokens == r.input_tokens};
      const cost::StepTime t = cost({step++, 0, 0, {&chunk, 1}});
      at += (t.gpu() + t.host_before + t.host_after).value();
      done += tokens;
    }
    first = at;
    for (std::int64_t k = 1; k < r.output_tokens; ++k) {
      const cost::StepTime t = cost({step++, 1, r.input_tokens + k, {}});
      at += (t.gpu() + t.host_before + t.host_after).value();
    }
    const auto got = run_fake(a.rig, a.requests).request(0);
    EXPECT_EQ(got.first_token.value(), first);
    EXPECT_EQ(got.finish.value(), at);
  });
}

}  // namespace
}  // namespace brink::testing
