#include "kernels/decode_step/decode_step.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <numeric>
#include <set>
#include <string>

#include "kernels/decode_step/drift_stats.h"
#include "kernels/decode_step/gpu_steps.h"
#include "kernels/decode_step/llama_reference.h"
#include "kernels/decode_step/logit_compare.h"
#include "kernels/decode_step/step_settings.h"
#include "kernels/runner/session.h"
#include "kernels/runner/verify.h"

namespace brink::kernels {

namespace {

constexpr std::uint64_t prompt_seed = 0x70726f6d;
constexpr double replay_limit_s = 30;  // a point must end well before the supervisor takes it for hung
constexpr int drift_rows = 256;

/// Blocks [first, first + count) in order.
std::vector<int> block_run(int first, int count) {
  std::vector<int> blocks(static_cast<std::size_t>(count));
  std::iota(blocks.begin(), blocks.end(), first);
  return blocks;
}

std::vector<std::int32_t> prompt(const LlamaShape& shape, int sequence, int tokens) {
  std::vector<std::int32_t> values;
  for (int i = 0; i < tokens; ++i) values.push_back(prompt_token(shape, prompt_seed, sequence, i));
  return values;
}

void require_row(const LlamaModel& model, int row, const std::vector<double>& all, std::size_t token,
                 const std::string& what) {
  const auto width = static_cast<std::size_t>(model.shape().vocabulary);
  const auto got = model.logits().to_host(model.stream(), static_cast<std::size_t>(row) * width, width);
  // Activations are rounded to bf16 (2^-9) some twenty times on the way through two layers: 1 % or less is usual.
  require_close(what, got.data(), &all[token * width], width, 3e-2);
}

/// A small model against float64: a prompt in two chunks beside a decoding sequence, then decoding in graphs.
void verify_model(Session& session, const LlamaShape& shape) {
  ModelLimits limits;
  limits.tokens_max = 64;
  limits.seats_max = 8;
  limits.graph_rows_max = 4;
  limits.kv_blocks = 16;
  limits.context_max = 128;
  LlamaModel model(shape, limits, session.device().sm_count, session.stream());
  model.capture_all();
  const LlamaReference reference(shape);
  const auto first = prompt(shape, 0, 45);
  const auto second = prompt(shape, 1, 21);
  const auto want_first = reference.logits(first);
  const auto want_second = reference.logits(second);
  const std::vector<int> first_blocks = {7, 2, 11};
  const std::vector<int> second_blocks = {4, 9};
  const auto start = [&] {
    StepBatch batch;
    batch.table_stride = model.table_stride();
    return batch;
  };
  StepBatch step = start();
  step.add_chunk(second.data(), 19, 0, second_blocks, true);
  model.enqueue(step);
  require_row(model, 0, want_second, 18, "prefill of a whole prompt");
  step = start();
  step.add_decode(second[19], 19, second_blocks);
  step.add_chunk(first.data(), 30, 0, first_blocks, false);
  model.enqueue(step);
  require_row(model, 0, want_second, 19, "decode beside a chunk");
  step = start();
  step.add_chunk(first.data() + 30, 12, 30, first_blocks, true);
  model.enqueue(step);
  require_row(model, 0, want_first, 41, "second chunk of a prompt");
  for (int i = 42; i < 45; ++i) {
    step = start();
    step.add_decode(first[static_cast<std::size_t>(i)], i, first_blocks);
    step.add_decode(second[20], 20, second_blocks);
    step.add_decode(first[static_cast<std::size_t>(i)], i, first_blocks);  // three rows: a graph of four
    require_equal("padded rows", static_cast<unsigned long long>(model.enqueue(step)), 4);
    require_row(model, 0, want_first, static_cast<std::size_t>(i), "decode in a graph");
    require_row(model, 1, want_second, 20, "decode in a graph");
  }
  const auto& logits = model.logits().to_host(model.stream(), 0, static_cast<std::size_t>(shape.vocabulary));
  const auto largest = std::max_element(logits.begin(), logits.end()) - logits.begin();
  require_equal("argmax", static_cast<unsigned long long>(model.next_tokens(1)[0]),
                static_cast<unsigned long long>(largest));
}

class DecodeStepGroup {
 public:
  DecodeStepGroup(Session& session, const StepSettings& settings)
      : session_(session), settings_(settings), shape_(llama_shape(settings.model)) {}

  void run() {
    for (const char* tiny : {"tiny-128", "tiny-64"}) {
      JsonObject params;
      params.set("what", "reference").set("model", tiny);
      session_.point(params, [&](PointResult& result) {
        verify_model(session_, llama_shape(tiny));
        result.verified = true;
      });
    }
    if (LlamaModel::bytes_needed(shape_, limits_) > static_cast<std::int64_t>(session_.free_bytes())) {
      session_.skip(about("all"), "the model, its caches and activations need " +
                                      std::to_string(LlamaModel::bytes_needed(shape_, limits_)) +
                                      " bytes; choose a smaller BRINK_STEP_MODEL");
      return;
    }
    for (const double rate : settings_.rates_per_s) replay_poisson(rate);
    if (!settings_.trace_path.empty()) replay_file();
    for (const int batch : {2, 3, 4, 8, 16, 17, 24, 32, 48, 64, 96, 128, 192, 256}) drift(batch);
    for (const int context : {256, 1024, 4096}) {
      for (const int batch : {1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256}) time_decode(batch, context);
    }
    for (const int prefix : {0, 2048}) {
      for (const int tokens : {64, 256, 512, 1024, 2048}) time_prefill(tokens, prefix);
    }
  }

 private:
  JsonObject about(const char* what) const {
    JsonObject params;
    return params.set("what", what).set("model", shape_.name);
  }

  LlamaModel& model() {
    if (!model_) {
      model_ = std::make_unique<LlamaModel>(shape_, limits_, session_.device().sm_count, session_.stream());
      model_->fill_caches();
      model_->capture_all();
      load_prefill_kernels();
    }
    return *model_;
  }

  /// The driver loads a kernel when it is first launched, which takes milliseconds: not in a replay's steps.
  void load_prefill_kernels() {
    for (const int prefix : {0, 1024}) {
      for (const int tokens : {2, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048}) {
        const auto ids = prompt(shape_, 0, tokens);
        StepBatch step = empty_batch();
        step.add_chunk(ids.data(), tokens, prefix, block_run(0, kv_blocks(prefix + tokens)), true);
        model_->enqueue(step);
      }
    }
    session_.synchronize();
  }

  StepBatch empty_batch() {
    StepBatch batch;
    batch.table_stride = model().table_stride();
    return batch;
  }

  void replay_poisson(double rate) {
    JsonObject params = about("replay").set("rate_per_s", rate).set("seed", settings_.seed);
    session_.point(params, [&](PointResult& result) {
      PoissonTrace spec;
      spec.rate_per_s = rate;
      spec.seed = settings_.seed;
      replay_trace(make_trace(spec), result);
    });
  }

  void replay_file() {
    session_.point(about("replay").set("trace", settings_.trace_path), [&](PointResult& result) {
      std::ifstream file(settings_.trace_path);
      if (!file) throw std::runtime_error("cannot read " + settings_.trace_path);
      replay_trace(read_trace(file), result);
    });
  }

  void replay_trace(const std::vector<TraceRequest>& trace, PointResult& result) {
    BatchLimits limits;
    limits.tokens_max = limits_.tokens_max;
    limits.seats_max = limits_.seats_max;
    limits.kv_blocks = limits_.kv_blocks;
    limits.context_max = limits_.context_max;
    GpuSteps steps(model(), trace, prompt_seed);
    const ReplayResult replayed = replay(trace, limits, steps, replay_limit_s);
    result.metrics = replay_json(trace, replayed);
    result.metrics.set("tokens_max", limits.tokens_max).set("seats_max", limits.seats_max);
    result.metrics.set("kv_blocks", limits.kv_blocks).set("workspace_bytes", limits_.workspace_bytes);
  }

  /// Sequences with prompts of their own in the cache, and their next rows' logits when each is decoded alone.
  void prepare_drift() {
    if (alone_logits_.size() > 0) return;
    LlamaModel& m = model();
    constexpr int blocks_each = 8;  // 96 .. 127 tokens
    int ready = 0;
    while (ready < drift_rows) {
      StepBatch batch = empty_batch();
      for (; ready < drift_rows && batch.rows() + 127 <= limits_.tokens_max; ++ready) {
        const int tokens = 96 + ready % 32 - 1;
        drift_tokens_.push_back(prompt(shape_, ready, tokens + 1));
        drift_blocks_.push_back(block_run(ready * blocks_each, blocks_each));
        batch.add_chunk(drift_tokens_.back().data(), tokens, 0, drift_blocks_.back(), false);
      }
      m.enqueue(batch);
    }
    const auto width = static_cast<std::size_t>(shape_.vocabulary);
    DeviceArray<float> alone(drift_rows * width);
    for (int row = 0; row < drift_rows; ++row) {
      m.enqueue(drift_batch(row, 1));
      BRINK_CUDA_CHECK(cudaMemcpyAsync(alone.get() + static_cast<std::size_t>(row) * width, m.logits().get(),
                                       width * sizeof(float), cudaMemcpyDeviceToDevice, m.stream()));
      drift_alone_.push_back(m.top_two_rows(1)[0]);
    }
    alone_logits_ = std::move(alone);
  }

  StepBatch drift_batch(int first, int count) {
    StepBatch batch = empty_batch();
    for (int row = first; row < first + count; ++row) {
      const auto& tokens = drift_tokens_[static_cast<std::size_t>(row)];
      const int position = static_cast<int>(tokens.size()) - 1;
      batch.add_decode(tokens.back(), position, drift_blocks_[static_cast<std::size_t>(row)]);
    }
    return batch;
  }

  void drift(int batch) {
    session_.point(about("drift").set("batch", batch), [&](PointResult& result) {
      prepare_drift();
      LlamaModel& m = model();
      std::vector<TopTwo> batched;
      std::vector<RowDifference> differences;
      // Every row is compared, in batches of this size; what is left over at the end is not a batch of this size.
      for (int first = 0; first + batch <= drift_rows; first += batch) {
        m.enqueue(drift_batch(first, batch));
        const auto some = logit_differences(m, alone_logits_.get(), first, batch);
        differences.insert(differences.end(), some.begin(), some.end());
        const auto tops = m.top_two_rows(batch);
        batched.insert(batched.end(), tops.begin(), tops.end());
      }
      const std::vector<TopTwo> alone(drift_alone_.begin(), drift_alone_.begin() + static_cast<long>(batched.size()));
      result.metrics = drift_json(alone, batched, differences);
      result.metrics.set("padded", padded_rows(batch, limits_.graph_rows_max));
      result.metrics.set("logit_deviation", logit_deviation());
    });
  }

  double logit_deviation() const {
    const auto row = alone_logits_.to_host(session_.stream(), 0, static_cast<std::size_t>(shape_.vocabulary));
    double sum = 0;
    double squares = 0;
    for (const float x : row) {
      sum += x;
      squares += static_cast<double>(x) * x;
    }
    const auto n = static_cast<double>(row.size());
    return std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n)));
  }

  void time_decode(int batch, int context) {
    const int blocks = kv_blocks(context);
    if (batch * blocks > limits_.kv_blocks) return;
    session_.point(about("decode").set("batch", batch).set("context", context), [&](PointResult& result) {
      LlamaModel& m = model();
      refill_caches();
      StepBatch step = empty_batch();
      for (int row = 0; row < batch; ++row) {
        step.add_decode(prompt_token(shape_, prompt_seed, row, 0), context - 1, block_run(row * blocks, blocks));
      }
      const int padded = m.enqueue(step);
      session_.synchronize();
      if (padded == 0) throw std::runtime_error("no CUDA graph holds this batch");
      MeasureOptions options;
      options.method = Method::stream;
      options.warm_up_s = 0.02;
      options.sample_min_s = 5e-3;
      options.stop.samples_max = 40;
      options.stop.time_max_s = 0.35;
      result.time(session_.measure(options, [&](cudaStream_t stream, int) { m.replay_graph(padded, stream); }));
      result.metrics.set("padded", padded).set("wall_s", median_wall_s(step, 9));
      result.metrics.set("splits", splits_for_batch(padded, shape_.heads_kv, session_.device().sm_count));
    });
  }

  void time_prefill(int tokens, int prefix) {
    if (tokens + prefix > limits_.context_max) return;
    session_.point(about("prefill").set("tokens", tokens).set("prefix", prefix), [&](PointResult& result) {
      refill_caches();
      const auto ids = prompt(shape_, 0, tokens);
      StepBatch step = empty_batch();
      step.add_chunk(ids.data(), tokens, prefix, block_run(0, kv_blocks(prefix + tokens)), true);
      median_wall_s(step, 1);  // chooses algorithms
      result.metrics.set("wall_s", median_wall_s(step, 9));
    });
  }

  /// Host's view of a whole step: inputs, launches, results.
  double median_wall_s(const StepBatch& step, int repeats) {
    std::vector<double> walls;
    for (int i = 0; i < repeats; ++i) {
      const auto start = std::chrono::steady_clock::now();
      model().enqueue(step);
      model().next_tokens(static_cast<int>(step.logit_rows.size()));
      walls.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return percentile(walls, 50);
  }

  /// Timed steps read blocks that no prompt wrote: ordinary numbers must be there, once for all of them.
  void refill_caches() {
    if (refilled_) return;
    model().fill_caches();
    alone_logits_ = DeviceArray<float>();  // the drift prompts are gone
    drift_tokens_.clear();
    drift_blocks_.clear();
    drift_alone_.clear();
    refilled_ = true;
  }

  Session& session_;
  StepSettings settings_;
  LlamaShape shape_;
  ModelLimits limits_;
  std::unique_ptr<LlamaModel> model_;
  DeviceArray<float> alone_logits_;
  std::vector<std::vector<std::int32_t>> drift_tokens_;
  std::vector<std::vector<int>> drift_blocks_;
  std::vector<TopTwo> drift_alone_;
  bool refilled_ = false;
};

}  // namespace

void run_decode_step(Session& session) {
  const StepSettings settings = step_settings([](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  });
  DecodeStepGroup(session, settings).run();
}

}  // namespace brink::kernels
