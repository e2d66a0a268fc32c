#include "sim/serving/replica.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "models/base/error.h"

namespace brink::serving {

namespace {

enum Kind : std::uint32_t { form_event, output_event };

}  // namespace

Replica::Replica(ReplicaId id, std::uint32_t component, const EngineConfig& config,
                 std::shared_ptr<cost::IStepCost> cost, Parts parts)
    : id_(id), component_(component), config_(config), cost_(std::move(cost)), parts_(parts),
      decoding_(config.block_size), kv_(config.kv_blocks, config.block_size) {}

void Replica::enqueue(Slot slot) {
  const Seconds now = parts_.clock.now();
  parts_.pool[slot].record.queued = now;
  parts_.pool[slot].record.replica = id_;
  waiting_.push_back(slot);
  parts_.recorder.on_queue(id_, now, size());
  if (in_flight_ == 0) request_form(std::max(now, host_free_));
}

policy::ReplicaView Replica::view() const { return {size(), running_, kv_.used(), kv_.total()}; }

bool Replica::idle() const { return waiting_.empty() && running_ == 0 && in_flight_ == 0 && kv_.used() == 0; }

std::int64_t Replica::tokens(std::int64_t i) const {
  const Sequence& s = parts_.pool[waiting_[static_cast<std::size_t>(i)]];
  return s.prompt - cached_tokens(s);
}

std::int64_t Replica::cached(std::int64_t i) const {
  return cached_tokens(parts_.pool[waiting_[static_cast<std::size_t>(i)]]);
}

// A hit covers full blocks and leaves at least one token to compute (vLLM V1,
// kv_cache_manager.get_computed_blocks). Cached texts are taken to stay: a pool of texts that
// are sent again and again is small beside the KV pool.
std::int64_t Replica::cached_tokens(const Sequence& s) const {
  if (s.prompt_text < 0 || !config_.prefix_caching) return 0;
  const auto text = static_cast<std::size_t>(s.prompt_text);
  if (text >= seen_texts_.size() || !seen_texts_[text]) return 0;
  return (s.record.input_tokens - 1) / config_.block_size * config_.block_size;
}

void Replica::remember_text(const Sequence& s) {
  if (s.prompt_text < 0) return;
  const auto text = static_cast<std::size_t>(s.prompt_text);
  if (text >= seen_texts_.size()) seen_texts_.resize(text + 1, false);
  seen_texts_[text] = true;
}

void Replica::on_event(std::uint32_t kind, std::uint64_t) {
  if (kind == form_event) {
    forming_ = false;
    form();
  } else {
    handle_output();
    request_form(parts_.clock.now());
  }
}

// Forming comes last in its instant: what arrives at the same time is seen.
void Replica::request_form(Seconds when) {
  if (forming_) return;
  forming_ = true;
  parts_.clock.schedule(when, world::Priority::step_start, component_, *this, form_event);
}

// The host's turn: form a batch if the pipeline has room, then see to the next thing it does.
void Replica::form() {
  const Seconds now = parts_.clock.now();
  host_free_ = std::max(host_free_, now);
  if (in_flight_ < depth() && form_batch()) {
    host_free_ = now + in_flight(in_flight_ - 1).time.host_before;
    if (in_flight_ < depth()) return request_form(host_free_);
  }
  if (in_flight_ > 0) {
    schedule_output();
  } else if (!waiting_.empty()) {
    throw Error(fmt::format("replica {} is empty and still cannot start its next request ({} tokens to prefill, {} KV "
                            "blocks of {} tokens, {} tokens a step)",
                            id_.value, tokens(0), kv_.total(), kv_.block_size(), config_.max_num_batched_tokens));
  }
}

void Replica::schedule_output() {
  const Batch& oldest = in_flight(0);
  const Seconds when = std::max(oldest.gpu_end, host_free_) + oldest.time.host_after;
  parts_.clock.schedule(when, world::Priority::step_end, component_, *this, output_event);
}

bool Replica::form_batch() {
  if (decoding_.size() == 0 && partial_ == no_slot && waiting_.empty()) return false;
  const std::uint64_t number = next_number_;
  const bool preempted = reserve_blocks();

  policy::BatchView view;
  view.token_budget = config_.max_num_batched_tokens;
  view.seats = config_.max_num_seqs;
  view.running = running_;
  view.decode_sequences = decoding_.size();
  if (partial_ != no_slot) {
    view.partial_tokens = parts_.pool[partial_].prompt - parts_.pool[partial_].prefilled;
    view.partial_context = parts_.pool[partial_].prefilled;
  }
  view.free_blocks = kv_.free();
  view.block_size = config_.block_size;
  view.chunked_prefill = config_.chunked_prefill;
  view.preempted = preempted;
  view.waiting = this;
  decision_.partial_chunk = 0;
  decision_.admit_chunks.clear();
  if (view.partial_tokens > 0 || !waiting_.empty()) {
    parts_.batcher.plan(view, decision_);
    check(view, decision_);
  }
  if (decoding_.size() == 0 && decision_.partial_chunk == 0 && decision_.admit_chunks.empty()) return false;

  Batch& batch = in_flight(in_flight_);
  batch.number = number;
  batch.formed = parts_.clock.now();
  batch.preemptions = std::exchange(preemptions_, 0);
  batch.prefill_tokens = 0;
  batch.chunks.clear();
  batch.first_tokens.clear();
  batch.finishing.clear();
  batch.preempted.clear();

  batch.decode_sequences = decoding_.size();
  decoding_.advance();
  batch.decode_context = decoding_.context();
  decoding_.finish(number, parts_.pool, batch.finishing);
  for (const Slot slot : batch.finishing) {
    parts_.pool[slot].phase = Phase::finishing;
    unlink(slot);
  }

  if (decision_.partial_chunk > 0) run_chunk(batch, partial_, decision_.partial_chunk);
  for (const std::int64_t tokens : decision_.admit_chunks) {
    const Slot slot = waiting_.front();
    waiting_.pop_front();
    admit(batch, slot, tokens);
  }
  // Not before: the policy planned the whole batch with what was cached at its start.
  for (const Slot slot : batch.first_tokens) remember_text(parts_.pool[slot]);

  batch.time = cost_->step({number, batch.decode_sequences, batch.decode_context, batch.chunks});
  const Seconds launch = std::max(gpu_free_, batch.formed + batch.time.host_before);
  batch.gpu_end = gpu_free_ = launch + batch.time.gpu();
  ++next_number_;
  ++in_flight_;
  return true;
}

// Every decoding sequence gets its token's KV slot before anything else is scheduled; when
// blocks run out the last of the running list gives way, itself included (vLLM's order).
// Returns whether anybody had to.
bool Replica::reserve_blocks() {
  const std::int64_t before = preemptions_;
  while (decoding_.blocks_to_open(next_number_) > kv_.free()) preempt_last();
  kv_.allocate(decoding_.blocks_to_open(next_number_));
  // The cut prefill is last in the running list: without a block for its next token it is
  // the one to give way. Its chunk is at least one token, at most what budget and prompt allow.
  if (partial_ != no_slot) {
    const Sequence& s = parts_.pool[partial_];
    const std::int64_t chunk =
        std::min(s.prompt - s.prefilled, config_.max_num_batched_tokens - decoding_.size());
    if (kv_.blocks_for(s.prefilled + chunk) - kv_.blocks_for(s.prefilled) > kv_.free()) {
      preempt_last();
    }
  }
  return preemptions_ > before;
}

// Preemption by recompute: the KV is dropped and the prompt, now with what was generated, is
// prefilled again from the head of the queue.
void Replica::preempt_last() {
  const Slot slot = last_running_;
  if (slot == no_slot) {
    throw Error("a step ran out of KV blocks with nothing left to preempt: a single request needs more than the pool");
  }
  Sequence& s = parts_.pool[slot];
  if (s.phase == Phase::decoding) {
    const std::uint64_t last_batch = next_number_ - 1;
    kv_.release(kv_.blocks_for(DecodeSet::tokens(s, last_batch)));
    decoding_.leave(s, last_batch);
    s.generated += static_cast<std::int64_t>(last_batch - s.prefill_batch);
    if (in_flight_ > 0) {
      in_flight(in_flight_ - 1).preempted.push_back(slot);
    } else {
      s.last_token = last_output_;
    }
    s.prompt = s.record.input_tokens + s.generated;
  } else {
    kv_.release(kv_.blocks_for(s.prefilled));
    partial_ = no_slot;
  }
  unlink(slot);
  --running_;
  s.prefilled = 0;
  s.phase = Phase::waiting;
  ++s.record.preemptions;
  ++preemptions_;
  waiting_.push_front(slot);
}

void Replica::admit(Batch& batch, Slot slot, std::int64_t tokens) {
  Sequence& s = parts_.pool[slot];
  if (s.record.preemptions == 0) s.record.scheduled = batch.formed;
  s.phase = Phase::prefilling;
  s.prefilled = cached_tokens(s);
  kv_.allocate(kv_.blocks_for(s.prefilled));
  ++running_;
  link_last(slot);
  run_chunk(batch, slot, tokens);
}

void Replica::run_chunk(Batch& batch, Slot slot, std::int64_t tokens) {
  Sequence& s = parts_.pool[slot];
  kv_.allocate(kv_.blocks_for(s.prefilled + tokens) - kv_.blocks_for(s.prefilled));
  const bool last = s.prefilled + tokens == s.prompt;
  batch.chunks.push_back({tokens, s.prefilled, last});
  batch.prefill_tokens += tokens;
  s.prefilled += tokens;
  partial_ = last ? no_slot : slot;
  if (!last) return;

  batch.first_tokens.push_back(slot);
  ++s.generated;
  const std::int64_t remaining = s.output_target - s.generated;
  if (remaining > 0) {
    decoding_.join(slot, s, batch.number, remaining);
  } else {
    s.remaining = 0;
    s.phase = Phase::finishing;
    unlink(slot);
    batch.finishing.push_back(slot);
  }
}

void Replica::check(const policy::BatchView& view, const policy::BatchDecision& decision) const {
  std::int64_t tokens = view.decode_sequences + decision.partial_chunk;
  for (const std::int64_t chunk : decision.admit_chunks) tokens += chunk;
  const std::int64_t seats = view.running + static_cast<std::int64_t>(decision.admit_chunks.size());
  if (tokens > view.token_budget || (!decision.admit_chunks.empty() && seats > view.seats)) {
    throw Error(fmt::format("the batching policy overfilled a step: {} tokens of {}, {} seats of {}", tokens,
                            view.token_budget, seats, view.seats));
  }
}

void Replica::handle_output() {
  const Seconds now = parts_.clock.now();
  Batch& batch = in_flight(0);
  if (batch.decode_sequences > 0) {
    // A member of this batch's decode set had a token from the batch before.
    parts_.recorder.on_intervals({now, now - last_output_, batch.decode_sequences});
  }
  const Seconds stream_start = start_streaming(batch, now);
  deliver_first_tokens(batch, now, stream_start);
  for (const Slot slot : batch.preempted) parts_.pool[slot].last_token = now;
  for (const Slot slot : batch.finishing) {
    Sequence& s = parts_.pool[slot];
    s.generated = s.output_target;
    kv_.release(kv_.blocks_for(s.prompt + s.remaining));
    --running_;
  }
  --in_flight_;
  oldest_ = (oldest_ + 1) % batches_.size();
  record_step(batch, now);
  last_output_ = now;
  // Who finishes has been running for long and is among the first that are served.
  std::int64_t position = 0;
  for (const Slot slot : batch.finishing) {
    parts_.listener.on_finished(slot, stream_start + config_.stream_per_token * static_cast<double>(++position));
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
    if (s.record.preemptions > 0 && is_finite(s.record.first_token)) {
      // Resumed: this token follows one from before the preemption.
      parts_.recorder.on_intervals({now, now - s.last_token, 1});
    } else {
      parts_.listener.on_first_token(slot, stream_start + config_.stream_per_token * static_cast<double>(position));
      ++firsts;
    }
  }
  if (firsts > 0) parts_.recorder.on_first_tokens(now, firsts);
}

void Replica::record_step(const Batch& batch, Seconds now) {
  StepRecord r;
  r.replica = id_;
  r.step = batch.number;
  r.start = std::max(batch.formed, last_output_);
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
  r.waiting = size();
  r.kv_blocks_used = kv_.used();
  r.preemptions = batch.preemptions;
  r.tokens_out = batch.decode_sequences + static_cast<std::int64_t>(batch.first_tokens.size());
  r.finished = static_cast<std::int64_t>(batch.finishing.size());
  r.badge = batch.time.badge;
  parts_.recorder.on_step(r);
}

void Replica::link_last(Slot slot) {
  Sequence& s = parts_.pool[slot];
  s.previous = last_running_;
  s.next = no_slot;
  (last_running_ == no_slot ? first_running_ : parts_.pool[last_running_].next) = slot;
  last_running_ = slot;
}

void Replica::unlink(Slot slot) {
  const Sequence& s = parts_.pool[slot];
  (s.previous == no_slot ? first_running_ : parts_.pool[s.previous].next) = s.next;
  (s.next == no_slot ? last_running_ : parts_.pool[s.next].previous) = s.previous;
}

}  // namespace brink::serving
