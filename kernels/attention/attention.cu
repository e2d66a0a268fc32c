#include "kernels/attention/attention.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "kernels/attention/attention_ops.h"
#include "kernels/attention/layouts.h"
#include "kernels/attention/reference.h"
#include "kernels/device/numbers.h"
#include "kernels/gemm/bit_classes.h"
#include "kernels/gemm/rows.h"
#include "kernels/runner/session.h"
#include "kernels/runner/verify.h"

namespace brink::kernels {

namespace {

constexpr std::uint64_t q_seed = 0x71;
constexpr std::uint64_t k_seed = 0x6b;
constexpr std::uint64_t v_seed = 0x76;
constexpr std::uint64_t table_seed = 0x74;
constexpr int batch_max = 256;
constexpr int rotation_max = 8;  // sets of sequences a launch rotates through, as layers do

struct Heads {
  int q;
  int kv;
  int size;
  const char* why;
};

MeasureOptions brief(Method method) {
  MeasureOptions options;
  options.method = method;
  options.stop.samples_max = 80;
  options.stop.time_max_s = 0.08;
  return options;
}

/// One row of a cache as fill_normal wrote it.
class FilledRow {
 public:
  FilledRow(std::uint64_t seed, const std::int32_t* table, const Heads& heads, int kv_head)
      : seed_(seed), table_(table), heads_(heads), kv_head_(kv_head), row_(static_cast<std::size_t>(heads.size)) {}
  const std::uint16_t* operator()(int token) const {
    const std::int64_t block = table_[token / kv_block_tokens];
    const std::int64_t first =
        ((block * heads_.kv + kv_head_) * kv_block_tokens + token % kv_block_tokens) * heads_.size;
    for (std::size_t i = 0; i < row_.size(); ++i) {
      row_[i] = bf16_from_float(keyed_normal(seed_, static_cast<std::uint64_t>(first) + i));
    }
    return row_.data();
  }

 private:
  std::uint64_t seed_;
  const std::int32_t* table_;
  const Heads& heads_;
  int kv_head_;
  mutable std::vector<std::uint16_t> row_;
};

/// A pool of KV blocks and everything one set of heads needs.
class DecodeBench {
 public:
  DecodeBench(Session& session, const Heads& heads)
      : session_(session),
        heads_(heads),
        pool_blocks_(static_cast<int>(std::int64_t{524288} * 8 / heads.kv / kv_block_tokens)),
        k_(cache_elements()),
        v_(cache_elements()),
        q_(static_cast<std::size_t>(batch_max * heads.q * heads.size)),
        out_(q_.size()),
        partial_out_(q_.size() * splits_max),
        partial_max_(static_cast<std::size_t>(batch_max * heads.q * splits_max)),
        partial_sum_(partial_max_.size()),
        tables_(static_cast<std::size_t>(pool_blocks_ + batch_max * 1024)),
        contexts_(batch_max) {
    fill_normal(k_.get(), static_cast<std::int64_t>(k_.size()), k_seed, 1.0f, session.stream());
    fill_normal(v_.get(), static_cast<std::int64_t>(v_.size()), v_seed, 1.0f, session.stream());
    fill_normal(q_.get(), static_cast<std::int64_t>(q_.size()), q_seed, 1.0f, session.stream());
  }

  std::uint16_t* out() const { return out_.get(); }

  /// Places the sequences; false if the pool or the tables cannot hold even one set of them.
  bool place(const std::vector<std::int32_t>& contexts, Scatter scatter) {
    batch_ = static_cast<int>(contexts.size());
    const int needed = blocks_needed(contexts);
    stride_ = kv_blocks(*std::max_element(contexts.begin(), contexts.end()));
    const std::size_t set = contexts.size() * static_cast<std::size_t>(stride_);
    if (needed > pool_blocks_ || set > tables_.size()) return false;
    sets_ = std::min({rotation_max, pool_blocks_ / needed, static_cast<int>(tables_.size() / set)});
    host_tables_.clear();
    for (int i = 0; i < sets_; ++i) {
      const auto tables = block_tables(contexts, stride_, scatter, i * needed, pool_blocks_, table_seed);
      host_tables_.insert(host_tables_.end(), tables.begin(), tables.end());
    }
    tables_.from_host(host_tables_);
    contexts_.from_host(contexts);
    host_contexts_ = contexts;
    return true;
  }

  int sets() const { return sets_; }
  /// Bytes of keys and values one launch reads.
  double kv_bytes() const {
    double tokens = 0;
    for (const auto context : host_contexts_) tokens += context;
    return tokens * heads_.kv * heads_.size * 4.0;
  }

  void launch(int splits, int set, cudaStream_t stream) const {
    DecodeParams p = {};
    p.q = q_.get();
    p.k_cache = k_.get();
    p.v_cache = v_.get();
    p.block_tables = tables_.get() + static_cast<std::int64_t>(set) * batch_ * stride_;
    p.contexts = contexts_.get();
    p.out = out_.get();
    p.partial_out = partial_out_.get();
    p.partial_max = partial_max_.get();
    p.partial_sum = partial_sum_.get();
    p.q_stride = std::int64_t{heads_.q} * heads_.size;
    p.heads_q = heads_.q;
    p.heads_kv = heads_.kv;
    p.table_stride = stride_;
    p.splits = splits;
    p.scale_log2 = static_cast<float>(1.4426950408889634 / std::sqrt(static_cast<double>(heads_.size)));
    launch_decode(p, batch_, heads_.size, stream);
  }

  /// Poisons, runs set 0 and compares three (row, head) pairs with float64, the last of each among them.
  void verify(int splits) const {
    out_.poison(session_.stream());
    partial_out_.poison(session_.stream());
    launch(splits, 0, session_.stream());
    const std::vector<std::pair<int, int>> pairs = {{0, 0}, {batch_ / 2, heads_.q / 2}, {batch_ - 1, heads_.q - 1}};
    std::vector<float> got;
    std::vector<double> want;
    for (const auto& [row, head] : pairs) {
      const std::size_t first = static_cast<std::size_t>((row * heads_.q + head) * heads_.size);
      for (const std::uint16_t bits : out_.to_host(session_.stream(), first, static_cast<std::size_t>(heads_.size))) {
        got.push_back(bf16_to_float(bits));
      }
      std::vector<std::uint16_t> query;
      for (int d = 0; d < heads_.size; ++d) {
        query.push_back(bf16_from_float(keyed_normal(q_seed, first + static_cast<std::size_t>(d))));
      }
      const std::int32_t* table = &host_tables_[static_cast<std::size_t>(row) * static_cast<std::size_t>(stride_)];
      const int kv_head = head / (heads_.q / heads_.kv);
      const auto one = attend(query.data(), heads_.size, host_contexts_[static_cast<std::size_t>(row)],
                              FilledRow(k_seed, table, heads_, kv_head), FilledRow(v_seed, table, heads_, kv_head));
      want.insert(want.end(), one.begin(), one.end());
    }
    // Probabilities and outputs are rounded to bf16 (2^-9 each, relative); 1e-2 leaves room for cancellation in long
    // contexts, where the output is a small mean of large values.
    require_close("decode attention", got.data(), want.data(), got.size(), 1e-2);
  }

 private:
  std::size_t cache_elements() const {
    return static_cast<std::size_t>(pool_blocks_) * static_cast<std::size_t>(heads_.kv * kv_block_tokens * heads_.size);
  }

  Session& session_;
  Heads heads_;
  int pool_blocks_;
  DeviceArray<std::uint16_t> k_, v_, q_, out_;
  DeviceArray<float> partial_out_, partial_max_, partial_sum_;
  DeviceArray<std::int32_t> tables_;
  DeviceArray<std::int32_t> contexts_;
  std::vector<std::int32_t> host_tables_, host_contexts_;
  int batch_ = 0;
  int stride_ = 0;
  int sets_ = 1;
};

/// Where the KV of a launch is when it starts.
enum class L2State {
  rotated,  ///< launches go round sets of sequences, as a step goes through layers
  warm,     ///< the same sequences again and again
  cold,     ///< one launch after a flush
};

const char* state_name(L2State state) {
  return state == L2State::rotated ? "rotated" : state == L2State::warm ? "warm" : "cold";
}

struct DecodeCase {
  int batch;
  int context;
  int splits;  ///< 0: splits_for_batch
  Scatter scatter = Scatter::random;
  L2State l2 = L2State::rotated;
  bool ragged = false;
};

class AttentionGroup {
 public:
  AttentionGroup(Session& session, const Heads& heads) : session_(session), heads_(heads) {}

  void decode(const std::vector<DecodeCase>& cases) {
    for (const DecodeCase& c : cases) one(c);
  }

  /// Row 0's bits by number of splits, against one split; and that neighbours do not change them.
  void bits(int batch, int context) {
    JsonObject params = about("bits").set("batch", batch).set("context", context);
    session_.point(params, [&](PointResult& result) {
      DecodeBench& bench = this->bench();
      const int n = heads_.q * heads_.size;
      DeviceArray<std::uint16_t> alone(static_cast<std::size_t>(n));
      DeviceArray<RowSignature> signatures(splits_max);
      const cudaStream_t stream = session_.stream();
      BRINK_CUDA_CHECK(cudaMemsetAsync(signatures.get(), 0, signatures.bytes(), stream));
      require_place(bench.place(equal_contexts(batch, context), Scatter::contiguous));
      for (int splits = 1; splits <= splits_max; ++splits) {
        // The reference costs as much as the context is long: one, few and all splits stand for the rest.
        if (splits <= 3 || splits == splits_max) {
          bench.verify(splits);
        } else {
          bench.launch(splits, 0, stream);
        }
        if (splits == 1) {
          BRINK_CUDA_CHECK(cudaMemcpyAsync(alone.get(), bench.out(), alone.bytes(), cudaMemcpyDeviceToDevice, stream));
        }
        sign_row(bench.out(), alone.get(), n, signatures.get() + (splits - 1), stream);
      }
      const auto rows = signatures.to_host(stream);
      std::vector<RowAt> map;
      for (int splits = 1; splits <= splits_max; ++splits) {
        Tactic tactic;
        tactic.id = 0;
        tactic.split_k = splits;
        map.push_back({tactic, rows[static_cast<std::size_t>(splits - 1)]});
      }
      result.metrics = bit_class_map(map, n);
      // The same sequence alone, on the same blocks: batch composition must not reach a row's bits.
      require_place(bench.place(equal_contexts(1, context), Scatter::contiguous));
      BRINK_CUDA_CHECK(cudaMemsetAsync(signatures.get(), 0, signatures.bytes(), stream));
      bench.verify(4);
      sign_row(bench.out(), alone.get(), n, signatures.get(), stream);
      require_equal("hash of a row alone and among others", signatures.to_host(stream)[0].hash, rows[3].hash);
      result.verified = true;
    });
  }

  void prefill(int queries, int prefix);

 private:
  JsonObject about(const char* what) const {
    JsonObject params;
    return params.set("what", what).set("heads_q", heads_.q).set("heads_kv", heads_.kv).set("head_size", heads_.size);
  }

  static void require_place(bool placed) {
    if (!placed) throw std::runtime_error("the KV pool is smaller than the batch");
  }

  DecodeBench& bench() {
    if (!bench_) bench_ = std::make_unique<DecodeBench>(session_, heads_);
    return *bench_;
  }

  void one(const DecodeCase& c) {
    const int splits = c.splits > 0 ? c.splits : splits_for_batch(c.batch, heads_.kv, session_.device().sm_count);
    JsonObject params = about("decode").set("batch", c.batch).set("context", c.context).set("splits", splits);
    params.set("scatter", scatter_name(c.scatter)).set("l2", state_name(c.l2)).set("ragged", c.ragged);
    session_.point(params, [&](PointResult& result) {
      DecodeBench& bench = this->bench();
      const auto contexts =
          c.ragged ? ragged_contexts(c.batch, c.context, table_seed) : equal_contexts(c.batch, c.context);
      require_place(bench.place(contexts, c.scatter));
      bench.verify(splits);
      result.verified = true;
      const int sets = c.l2 == L2State::rotated ? bench.sets() : 1;
      const Method method = c.l2 == L2State::cold ? Method::cold : Method::graph;
      result.time(session_.measure(
          brief(method), [&](cudaStream_t stream, int iteration) { bench.launch(splits, iteration % sets, stream); }));
      result.metrics.set("kv_bytes", bench.kv_bytes()).set("sets", sets).set("why", heads_.why);
      result.metrics.set("gb_per_s", bench.kv_bytes() / result.timing.seconds.median_s * 1e-9);
    });
  }

  Session& session_;
  Heads heads_;
  std::unique_ptr<DecodeBench> bench_;
};

/// Three queries of a chunk against float64: the first, a middle one and the last.
void verify_prefill(const PrefillShape& shape, const DeviceArray<std::uint16_t>& out, cudaStream_t stream) {
  std::vector<float> got;
  std::vector<double> want;
  for (const int query : {0, shape.queries / 2, shape.queries - 1}) {
    const int head = query * 7 % shape.heads_q;
    const auto first =
        (static_cast<std::size_t>(query) * static_cast<std::size_t>(shape.heads_q) + static_cast<std::size_t>(head)) *
        static_cast<std::size_t>(shape.head_size);
    for (const auto bits : out.to_host(stream, first, static_cast<std::size_t>(shape.head_size))) {
      got.push_back(bf16_to_float(bits));
    }
    std::vector<std::uint16_t> q;
    for (std::size_t d = 0; d < static_cast<std::size_t>(shape.head_size); ++d) {
      q.push_back(bf16_from_float(keyed_normal(q_seed, first + d)));
    }
    const std::int64_t kv_head = head / (shape.heads_q / shape.heads_kv);
    std::vector<std::uint16_t> k_row(q.size()), v_row(q.size());
    const auto row = [&](std::uint64_t seed, std::vector<std::uint16_t>& into) {
      return [&into, seed, &shape, kv_head](int token) {
        const auto at = static_cast<std::uint64_t>((kv_head * shape.keys() + token) * shape.head_size);
        for (std::size_t d = 0; d < into.size(); ++d) into[d] = bf16_from_float(keyed_normal(seed, at + d));
        return static_cast<const std::uint16_t*>(into.data());
      };
    };
    const auto one =
        attend(q.data(), shape.head_size, shape.prefix + query + 1, row(k_seed, k_row), row(v_seed, v_row));
    want.insert(want.end(), one.begin(), one.end());
  }
  require_close("prefill attention", got.data(), want.data(), got.size(), 1e-2);
}

void AttentionGroup::prefill(int queries, int prefix) {
  JsonObject params = about("prefill").set("queries", queries).set("prefix", prefix);
  session_.point(params, [&](PointResult& result) {
    const PrefillShape shape = {queries, prefix, heads_.q, heads_.kv, heads_.size};
    LtHandle handle;
    PrefillAttention attention(handle, heads_.q, heads_.kv, heads_.size, queries, shape.keys());
    const std::int64_t q_elements = std::int64_t{queries} * heads_.q * heads_.size;
    const std::int64_t kv_elements = std::int64_t{shape.keys()} * heads_.kv * heads_.size;
    DeviceArray<std::uint16_t> q(static_cast<std::size_t>(q_elements)), out(static_cast<std::size_t>(q_elements));
    DeviceArray<std::uint16_t> k(static_cast<std::size_t>(kv_elements)), v(static_cast<std::size_t>(kv_elements));
    const cudaStream_t stream = session_.stream();
    fill_normal(q.get(), q_elements, q_seed, 1.0f, stream);
    fill_normal(k.get(), kv_elements, k_seed, 1.0f, stream);
    fill_normal(v.get(), kv_elements, v_seed, 1.0f, stream);
    out.poison(stream);
    const auto run = [&](cudaStream_t on, int) {
      attention.run(shape, q.get(), std::int64_t{heads_.q} * heads_.size, k.get(), v.get(), out.get(), on);
    };
    run(stream, 0);
    verify_prefill(shape, out, stream);
    result.verified = true;
    MeasureOptions options = brief(Method::graph);
    options.batch_max = 16;  // five launches each
    result.time(session_.measure(options, run));
    result.metrics.set("why", heads_.why);
  });
}

std::vector<DecodeCase> main_grid() {
  std::vector<DecodeCase> cases;
  for (const int batch : {1, 2, 4, 8, 16, 32, 64, 128, 256}) {
    for (const int context : {128, 512, 1024, 2048, 4096, 8192, 16384, 32768}) {
      if (std::int64_t{batch} * context <= 524288) cases.push_back({batch, context, 0});
    }
  }
  for (const int batch : {1, 4, 16}) {
    for (const int context : {1024, 4096, 16384}) {
      for (const int splits : {1, 2, 4, 8, 16, 32}) cases.push_back({batch, context, splits});
    }
  }
  for (const Scatter scatter : {Scatter::contiguous, Scatter::interleaved}) {
    for (const int batch : {16, 64, 256}) cases.push_back({batch, 2048, 0, scatter});
  }
  for (const int context : {256, 1024, 4096}) {
    for (const int batch : {1, 4, 16}) {
      cases.push_back({batch, context, 0, Scatter::random, L2State::warm});
      cases.push_back({batch, context, 0, Scatter::random, L2State::cold});
    }
  }
  for (const int batch : {16, 64, 256}) {
    cases.push_back({batch, 1024, 0, Scatter::random, L2State::rotated, true});
  }
  return cases;
}

std::vector<DecodeCase> short_grid() {
  std::vector<DecodeCase> cases;
  for (const int batch : {1, 8, 32, 128}) {
    for (const int context : {256, 1024, 4096, 16384}) {
      if (std::int64_t{batch} * context <= 131072) cases.push_back({batch, context, 0});
    }
  }
  return cases;
}

}  // namespace

void run_attention(Session& session) {
  {
    AttentionGroup group(session, {32, 8, 128, "llama-3.1-8b tp1"});
    group.decode(main_grid());
    for (const int context : {1024, 2048, 8192}) group.bits(8, context);
    for (const int queries : {128, 512, 2048}) {
      for (const int prefix : {0, 2048, 8192}) group.prefill(queries, prefix);
    }
  }
  const Heads others[] = {
      {8, 1, 128, "llama-3.1-70b tp8"},
      {32, 32, 128, "llama-2-7b tp1: no grouping"},
      {28, 4, 128, "qwen2.5-7b tp1: seven query heads a KV head"},
      {32, 8, 64, "head size 64"},
  };
  for (const Heads& heads : others) {
    AttentionGroup group(session, heads);
    group.decode(short_grid());
  }
}

}  // namespace brink::kernels
