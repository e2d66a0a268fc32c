// Handling a batch's output: tokens leave, seats and blocks come back, the step is told to who listens.
#include <algorithm>

#include "sim/serving/replica.h"

namespace brink::serving {

void Replica::handle_output() {
  const Seconds now = parts_.clock.now();
  Batch& batch = in_flight(0);
  if (batch.decode_sequences > 0) tell_intervals(batch, now);
  const Seconds stream_start = start_streaming(batch, now);
  deliver_first_tokens(batch, now, stream_start);
  for (const Slot slot : batch.preempted) parts_.pool[slot].last_token = now;
  for (const Slot slot : batch.finishing) {
    Sequence& s = parts_.pool[slot];
    s.generated = s.output_target;
    release_blocks(slot, s.prompt + s.remaining, false);
    --running_;
  }
  hand_over(batch, now);
  --in_flight_;
  oldest_ = (oldest_ + 1) % batches_.size();
  step_time_ = now - std::max(batch.formed, last_end_);
  control(batch, now);
  record_step(batch, now);
  batch.lane->last_output = now;
  last_end_ = now;
  // Who finishes has been running for long and is among the first that are served.
  std::int64_t position = 0;
  for (const Slot slot : batch.finishing) {
    if (around_.journal) around_.journal->on_departed(parts_.pool[slot]);
    parts_.listener.on_finished(slot, stream_start + config_.stream_per_token * static_cast<double>(++position));
  }
  if (around_.handover != nullptr && !around_.prefills_only) around_.handover->on_room(id_);
}

// A member of this batch's decode set had a token from its lane's batch before; one that joined here had its from
// the replica that prefilled it.
void Replica::tell_intervals(const Batch& batch, Seconds now) {
  const std::int64_t members = batch.decode_sequences - static_cast<std::int64_t>(batch.joined.size());
  if (members > 0) parts_.recorder.on_intervals({now, now - batch.lane->last_output, members});
  for (const Slot slot : batch.joined) parts_.recorder.on_intervals({now, now - parts_.pool[slot].last_token, 1});
}

void Replica::hand_over(const Batch& batch, Seconds now) {
  for (const Slot slot : batch.handed_over) {
    Sequence& s = parts_.pool[slot];
    s.last_token = now;
    --running_;
    ++moving_;
    if (around_.journal) around_.journal->on_departed(s);
    around_.handover->on_prefilled(slot);
  }
}

Seconds Replica::start_streaming(const Batch& batch, Seconds now) {
  const Seconds start = std::max(stream_free_, now);
  const auto tokens = static_cast<double>(batch.decode_sequences) + static_cast<double>(batch.first_tokens.size());
  stream_free_ = start + config_.stream_per_token * tokens;
  return start;
}

// First tokens are the last of their batch to be sent: newcomers stand behind those who run.
void Replica::deliver_first_tokens(const Batch& batch, Seconds now, Seconds stream_start) {
  std::int64_t position = batch.decode_sequences;
  std::int64_t firsts = 0;
  for (const Slot slot : batch.first_tokens) {
    const Sequence& s = parts_.pool[slot];
    ++position;
    if (is_finite(s.record.first_token)) {
      // Resumed: this token follows one from before the preemption or the failure.
      parts_.recorder.on_intervals({now, now - s.last_token, 1});
    } else {
      parts_.listener.on_first_token(slot, stream_start + config_.stream_per_token * static_cast<double>(position));
      ++firsts;
    }
  }
  if (firsts > 0) parts_.recorder.on_first_tokens(now, firsts);
}

void Replica::control(const Batch& batch, Seconds now) {
  if (!around_.controller) return;
  policy::ControlView view;
  view.step = batch.number;
  view.step_time = step_time_;
  view.gpu_time = batch.time.gpu();
  view.decode_sequences = batch.decode_sequences;
  view.prefill_tokens = batch.prefill_tokens;
  view.running = running_;
  view.waiting = waiting();
  view.free_blocks = kv_.free();
  view.total_blocks = kv_.total() - kv_.held();
  view.max_num_seqs = config_.max_num_seqs;
  view.max_num_batched_tokens = config_.max_num_batched_tokens;
  view.block_size = config_.block_size;
  for (const Slot slot : batch.finishing) {
    const Sequence& s = parts_.pool[slot];
    const auto length = static_cast<double>(s.record.input_tokens + s.generated);
    ++view.finished;
    view.finished_tokens += s.record.input_tokens + s.generated;
    view.finished_tokens_squared += length * length;
  }
  const std::int64_t before = limits_.seats;
  around_.controller->on_step(view, limits_);
  limits_.seats = std::clamp<std::int64_t>(limits_.seats, 1, config_.max_num_seqs);
  limits_.token_budget = std::clamp<std::int64_t>(limits_.token_budget, 1, config_.max_num_batched_tokens);
  if (around_.journal) around_.journal->on_limits(before, limits_.seats, config_.max_num_seqs, now);
}

void Replica::record_step(const Batch& batch, Seconds now) {
  StepRecord r;
  r.replica = id_;
  r.step = batch.number;
  r.start = std::max(batch.formed, last_end_);
  r.end = now;
  r.compute = batch.time.compute;
  r.comm = batch.time.comm;
  r.sync = batch.time.sync;
  r.host = batch.time.host_before + batch.time.host_after;
  r.decode_sequences = batch.decode_sequences;
  r.prefill_tokens = batch.prefill_tokens;
  r.prefill_chunks = static_cast<std::int64_t>(batch.chunks.size());
  r.padded_tokens = batch.time.padded_tokens;
  r.context_tokens = batch.decode_context;
  r.running = running_;
  r.waiting = waiting();
  r.kv_blocks_used = kv_.used();
  r.preemptions = batch.preemptions;
  r.tokens_out = batch.decode_sequences + static_cast<std::int64_t>(batch.first_tokens.size());
  r.finished = static_cast<std::int64_t>(batch.finishing.size());
  r.badge = batch.time.badge;
  r.plan = batch.time.plan;
  r.kv_free = kv_.free();
  r.scatter = batch.scatter;
  r.workspace = batch.workspace;
  r.members = batch.members;
  r.request = batch.request;
  r.seats = batch.seats;
  r.slowest_rank = batch.effect.slowest_rank;
  r.wait = batch.effect.wait;
  r.cause = batch.effect.cause;
  r.tenant = lanes_.size() > 1 ? static_cast<std::int32_t>(batch.lane - lanes_.data()) : -1;
  world::CauseId pins = 0;
  for (const IKvConsumer* consumer : consumers_) {
    const std::int64_t pinned = consumer->pinned();
    r.kv_pinned += pinned;
    if (pinned > 0 && pins == 0) pins = consumer->cause();
  }
  if (around_.journal) {
    around_.journal->on_effect(batch.effect, now);
    RegimeSample sample{kv_.total(), kv_.free(), kv_.held(), r.kv_pinned, config_.kv_block, pins, Seconds(0.0)};
    if (!lanes_.front().waiting.empty()) {
      sample.oldest_wait = now - parts_.pool[lanes_.front().waiting.front()].record.queued;
    }
    around_.journal->describe(r, sample, batch.time.gpu());
  }
  parts_.recorder.on_step(r);
}

}  // namespace brink::serving
