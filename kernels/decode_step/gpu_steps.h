#pragma once

#include <cstdint>
#include <vector>

#include "kernels/decode_step/llama_model.h"
#include "kernels/decode_step/replay.h"
#include "kernels/decode_step/trace.h"

namespace brink::kernels {

/// Token `position` of a random prompt, keyed by (seed, sequence).
std::int32_t prompt_token(const LlamaShape& shape, std::uint64_t seed, int sequence, int position);

/// Runs the batcher's steps on the model: greedy decoding of random prompts.
class GpuSteps : public StepDevice {
 public:
  GpuSteps(LlamaModel& model, const std::vector<TraceRequest>& trace, std::uint64_t seed);
  ~GpuSteps() override;
  GpuSteps(const GpuSteps&) = delete;
  GpuSteps& operator=(const GpuSteps&) = delete;

  StepTimes run(const StepPlan& step, const Batcher& batcher) override;

 private:
  StepBatch batch_of(const StepPlan& step, const Batcher& batcher) const;
  void keep_tokens(const StepPlan& step, const std::vector<std::int32_t>& sampled);

  LlamaModel& model_;
  std::vector<std::vector<std::int32_t>> sequences_;  // prompt, then what was sampled
  cudaEvent_t begin_ = nullptr;
  cudaEvent_t end_ = nullptr;
};

}  // namespace brink::kernels
