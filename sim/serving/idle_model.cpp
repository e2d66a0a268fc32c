#include "sim/serving/idle_model.h"

#include <algorithm>
#include <array>

#include "sim/serving/decode_set.h"

namespace brink::serving {

// With asynchronous scheduling the next batch is formed while this one runs: the longer of the two decides.
Seconds IdleModel::interval(const cost::StepTime& time) const {
  const Seconds host = time.host_before + time.host_after;
  return config_.async_scheduling ? std::max(time.gpu(), host) : time.gpu() + host;
}

Seconds IdleModel::decode_sum(std::int64_t context) {
  while (static_cast<std::int64_t>(sums_.size()) <= context) {
    const auto length = static_cast<std::int64_t>(sums_.size());
    cost::StepShape shape;
    shape.decode_sequences = 1;
    shape.decode_context = shape.decode_longest = length;
    shape.decode_blocks = (length + DecodeSet::attention_block - 1) / DecodeSet::attention_block;
    shape.workspace = config_.workspace;
    sums_.push_back(sums_.back() + interval(cost_->step(shape)));
  }
  return sums_[static_cast<std::size_t>(context)];
}

IdleLatencies IdleModel::of(std::int64_t input_tokens, std::int64_t cached, std::int64_t output_tokens) {
  Seconds prefill;
  Seconds host_after;
  for (std::int64_t done = cached; done < input_tokens;) {
    const std::int64_t tokens = std::min(input_tokens - done, config_.max_num_batched_tokens);
    const std::array chunk = {cost::PrefillChunk{tokens, done, done + tokens == input_tokens}};
    cost::StepShape shape;
    shape.chunks = chunk;
    shape.workspace = config_.workspace;
    const cost::StepTime time = cost_->step(shape);
    // Only the first chunk waits for its host work; the others' is done behind it.
    prefill += done == cached ? time.host_before + time.gpu() : interval(time) - time.host_after;
    host_after = time.host_after;
    done += tokens;
  }
  IdleLatencies out;
  const Seconds ends = front_end_.response_latency + config_.stream_per_token;
  out.ttft = front_end_.request_latency + prefill + host_after + ends;
  out.e2e = out.ttft + decode_sum(input_tokens + output_tokens - 1) - decode_sum(input_tokens);
  return out;
}

}  // namespace brink::serving
