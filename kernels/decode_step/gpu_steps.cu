#include "kernels/decode_step/gpu_steps.h"

#include <chrono>

#include "kernels/device/numbers.h"

namespace brink::kernels {

std::int32_t prompt_token(const LlamaShape& shape, std::uint64_t seed, int sequence, int position) {
  const std::uint64_t key = mix64(seed ^ mix64(static_cast<std::uint64_t>(sequence)));
  return static_cast<std::int32_t>(mix64(key ^ mix64(static_cast<std::uint64_t>(position))) %
                                   static_cast<std::uint64_t>(shape.vocabulary));
}

GpuSteps::GpuSteps(LlamaModel& model, const std::vector<TraceRequest>& trace, std::uint64_t seed) : model_(model) {
  for (std::size_t r = 0; r < trace.size(); ++r) {
    std::vector<std::int32_t> prompt;
    for (int i = 0; i < trace[r].input_tokens; ++i) {
      prompt.push_back(prompt_token(model.shape(), seed, static_cast<int>(r), i));
    }
    sequences_.push_back(std::move(prompt));
  }
  BRINK_CUDA_CHECK(cudaEventCreate(&begin_));
  BRINK_CUDA_CHECK(cudaEventCreate(&end_));
}

GpuSteps::~GpuSteps() {
  cudaEventDestroy(begin_);
  cudaEventDestroy(end_);
}

StepBatch GpuSteps::batch_of(const StepPlan& step, const Batcher& batcher) const {
  StepBatch batch;
  batch.table_stride = model_.table_stride();
  for (const StepEntry& entry : step.decodes) {
    const auto& sequence = sequences_[static_cast<std::size_t>(entry.request)];
    batch.add_decode(sequence[static_cast<std::size_t>(entry.first)], entry.first, batcher.blocks(entry.request));
  }
  for (const StepEntry& entry : step.prefills) {
    const auto& sequence = sequences_[static_cast<std::size_t>(entry.request)];
    batch.add_chunk(&sequence[static_cast<std::size_t>(entry.first)], entry.count, entry.first,
                    batcher.blocks(entry.request), entry.samples);
  }
  return batch;
}

void GpuSteps::keep_tokens(const StepPlan& step, const std::vector<std::int32_t>& sampled) {
  std::size_t next = 0;
  for (const auto* entries : {&step.decodes, &step.prefills}) {
    for (const StepEntry& entry : *entries) {
      if (entry.samples) sequences_[static_cast<std::size_t>(entry.request)].push_back(sampled.at(next++));
    }
  }
}

StepTimes GpuSteps::run(const StepPlan& step, const Batcher& batcher) {
  const auto start = std::chrono::steady_clock::now();
  const StepBatch batch = batch_of(step, batcher);
  const cudaStream_t stream = model_.stream();
  StepTimes times;
  BRINK_CUDA_CHECK(cudaEventRecord(begin_, stream));
  times.padded = model_.enqueue(batch);
  BRINK_CUDA_CHECK(cudaEventRecord(end_, stream));
  keep_tokens(step, model_.next_tokens(static_cast<int>(batch.logit_rows.size())));  // waits for the step
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  times.wall_s = took.count();
  float ms = 0;
  BRINK_CUDA_CHECK(cudaEventElapsedTime(&ms, begin_, end_));
  times.gpu_s = static_cast<double>(ms) * 1e-3;
  return times;
}

}  // namespace brink::kernels
