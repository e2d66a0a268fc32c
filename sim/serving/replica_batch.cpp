// Forming a batch: blocks first, then what the policy decides, then its time.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "models/base/error.h"
#include "sim/serving/replica.h"

namespace brink::serving {

bool Replica::form_batch() {
  Lane& lane = *lane_;
  const bool preempted = reserve_blocks();
  if (!lane.imported.empty()) join_imported();
  decision_.partial_chunk = 0;
  decision_.admit_chunks.clear();
  if (lane.partial != no_slot || !lane.waiting.empty()) {
    const policy::BatchView view = batch_view(preempted);
    parts_.batcher.plan(view, decision_);
    check(view, decision_);
  }
  if (lane.decoding.size() == 0 && decision_.partial_chunk == 0 && decision_.admit_chunks.empty()) return false;

  Batch& batch = in_flight(in_flight_);
  begin(batch);
  if (decision_.partial_chunk > 0) run_chunk(batch, lane.partial, decision_.partial_chunk);
  for (const std::int64_t tokens : decision_.admit_chunks) {
    const Slot slot = lane.waiting.front();
    lane.waiting.pop_front();
    admit(batch, slot, tokens);
  }
  // Not before: the policy planned the whole batch with what was cached at its start.
  for (const Slot slot : batch.first_tokens) remember_text(parts_.pool[slot]);
  launch(batch);
  if (lane.drift) follow_drift(batch);
  ++lane.next_number;
  ++next_number_;
  ++in_flight_;
  return true;
}

policy::BatchView Replica::batch_view(bool preempted) const {
  policy::BatchView view;
  view.decode_sequences = lane_->decoding.size();
  view.token_budget = policy::budget_in_force(limits_, config_.max_num_batched_tokens, view.decode_sequences,
                                              config_.chunked_prefill);
  view.seats = limits_.seats;
  view.running = running_;
  if (lane_->partial != no_slot) {
    view.partial_tokens = parts_.pool[lane_->partial].prompt - parts_.pool[lane_->partial].prefilled;
    view.partial_context = parts_.pool[lane_->partial].prefilled;
  }
  view.free_blocks = kv_.free();
  view.block_size = config_.block_size;
  view.chunked_prefill = config_.chunked_prefill;
  view.preempted = preempted;
  view.waiting = this;
  return view;
}

// The decoding sequences are in: each gains a token, those with their last one leave the set.
void Replica::begin(Batch& batch) {
  Lane& lane = *lane_;
  batch.number = next_number_;
  batch.lane_number = lane.next_number;
  batch.lane = &lane;
  batch.formed = parts_.clock.now();
  batch.seats = limits_.seats;
  batch.preemptions = std::exchange(preemptions_, 0);
  batch.prefill_tokens = 0;
  for (auto* slots : {&batch.chunk_slots, &batch.first_tokens, &batch.finishing, &batch.joined, &batch.handed_over, &batch.preempted}) {
    slots->clear();
  }
  batch.chunks.clear();

  batch.decode_sequences = lane.decoding.size();
  lane.decoding.advance(batch.lane_number);
  batch.joined.swap(joined_);
  batch.decode_context = lane.decoding.context();
  batch.decode_blocks = lane.decoding.attention_blocks();
  batch.decode_longest = lane.decoding.longest(batch.lane_number);
  batch.members = lane.members;
  batch.request = -1;
  if (lanes_.size() == 1 && last_running_ != no_slot) batch.request = static_cast<std::int64_t>(parts_.pool[last_running_].record.id.value);
  lane.decoding.finish(batch.lane_number, parts_.pool, batch.finishing);
  for (const Slot slot : batch.finishing) {
    Sequence& s = parts_.pool[slot];
    s.phase = Phase::finishing;
    lane.members -= member_hash(s.record.id);
    if (s.shares) lane.shared.leave(s.prompt_text);
    unlink(slot);
  }
}

// What the batch costs, what surrounds the replica adds, and when its GPUs are done.
void Replica::launch(Batch& batch) {
  batch.workspace = around_.workspace ? around_.workspace->workspace(kv_.used() + kv_.held()) : config_.workspace;
  cost::StepShape shape{batch.number, batch.decode_sequences, batch.decode_context, batch.chunks, batch.decode_blocks,
                        batch.decode_longest};
  shape.scatter = batch.scatter = blocks_.scatter();
  shape.shared_tokens = batch.lane->shared.tokens();
  shape.sharers = batch.lane->shared.sharers();
  shape.workspace = batch.workspace;
  batch.time = cost_->step(shape);
  if (batch.time.plan != nullptr) {
    batch.plan = *batch.time.plan;
    batch.time.plan = &batch.plan;
  }
  batch.effect = {};
  if (around_.conditions != nullptr) {
    const Seconds begin = std::max(gpu_free_, batch.formed + batch.time.host_before);
    batch.effect = around_.conditions->on_step({id_, batch.number, begin, batch.time.compute, batch.time.comm,
                                                batch.time.collectives, config_.ranks, batch.time.clock_bound});
    batch.wait.assign(batch.effect.wait.begin(), batch.effect.wait.end());
    batch.effect.wait = batch.wait;
    batch.time.sync += batch.effect.sync;
    batch.time.host_before += batch.effect.host;
  }
  const Seconds begin = std::max(gpu_free_, batch.formed + batch.time.host_before);
  batch.gpu_end = gpu_free_ = begin + batch.time.gpu();
  if (around_.prefills_only) announce_chunks(batch);
  if (consumers_.empty()) return;
  KvView view = kv_view();
  view.batch = batch.number;
  view.decode_sequences = batch.decode_sequences;
  for (IKvConsumer* consumer : consumers_) consumer->on_batch(view, batch.decode_sequences + batch.prefill_tokens);
}

// Every decoding sequence gets its token's KV slot before anything else is scheduled; when
// blocks run out the last of the running list gives way, itself included (vLLM's order).
// Returns whether anybody had to.
bool Replica::reserve_blocks() {
  const std::int64_t before = preemptions_;
  DecodeSet& decoding = lane_->decoding;
  while (decoding.blocks_to_open(lane_->next_number) > kv_.free()) preempt_last();
  const std::int64_t opened = decoding.blocks_to_open(lane_->next_number);
  kv_.allocate(opened);
  if (opened > 0) blocks_.grow(opened, decoding.size());
  // The cut prefill is last in the running list: without a block for its next token it is
  // the one to give way. Its chunk is at least one token, at most what budget and prompt allow.
  if (lane_->partial != no_slot) {
    const Sequence& s = parts_.pool[lane_->partial];
    const std::int64_t budget = batch_view(false).token_budget;
    const std::int64_t chunk = std::min(s.prompt - s.prefilled, budget - decoding.size());
    while (lane_->partial != no_slot && kv_.blocks_for(s.prefilled + chunk) - kv_.blocks_for(s.prefilled) > kv_.free()) {
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
  Lane& lane = lane_of(s);
  world::CauseId pins = 0;
  for (const IKvConsumer* consumer : consumers_) {
    if (consumer->pinned() > 0 && pins == 0) pins = consumer->cause();
  }
  if (s.phase == Phase::decoding) {
    const std::uint64_t last_batch = lane.next_number - 1;
    release_blocks(slot, DecodeSet::tokens(s, last_batch), true);
    lane.decoding.leave(s, last_batch);
    lane.members -= member_hash(s.record.id);
    if (s.shares) lane.shared.leave(s.prompt_text);
    if (lane.drift) lane.drift->on_preempted(slot, last_batch);
    s.generated += static_cast<std::int64_t>(last_batch - s.prefill_batch);
    // Its last token leaves with the youngest batch of its lane; the one before may still be needed by then.
    Batch* youngest = nullptr;
    for (std::size_t i = 0; i < in_flight_; ++i) {
      if (in_flight(i).lane == &lane) youngest = &in_flight(i);
    }
    if (youngest != nullptr) {
      youngest->preempted.push_back(slot);
    } else {
      s.last_token = lane.last_output;
    }
    s.prompt = s.record.input_tokens + s.generated;
  } else {
    release_blocks(slot, s.prefilled, true);
    if (lane.drift) lane.drift->on_preempted(slot, lane.next_number == 0 ? 0 : lane.next_number - 1);
    lane.partial = no_slot;
  }
  unlink(slot);
  --running_;
  s.prefilled = 0;
  s.phase = Phase::waiting;
  ++s.record.preemptions;
  ++preemptions_;
  lane.waiting.push_front(slot);
  if (around_.journal) around_.journal->on_preempted(parts_.clock.now(), pins);
}

void Replica::release_blocks(Slot slot, std::int64_t tokens, bool preempted) {
  const std::int64_t blocks = kv_.blocks_for(tokens);
  std::int64_t held = 0;
  if (!consumers_.empty()) {
    const KvView view = kv_view();
    const Sequence& s = parts_.pool[slot];
    KvDeparture departure;
    departure.slot = slot;
    departure.blocks = blocks;
    departure.tokens = tokens;
    departure.scheduled = s.record.scheduled;
    departure.decoded = tokens - std::min(tokens, s.prompt);
    departure.admitted_batch = s.admitted_batch;
    departure.prefilled_batch = s.last_chunk_batch;
    departure.preempted = preempted;
    for (IKvConsumer* consumer : consumers_) held += consumer->retain(view, departure, held);
  }
  kv_.release_held(blocks, held);
  Sequence& owner = parts_.pool[slot];
  blocks_.give_back(owner.blocks, blocks - owner.blocks.blocks, held);
  owner.blocks = {};
}

void Replica::admit(Batch& batch, Slot slot, std::int64_t tokens) {
  Sequence& s = parts_.pool[slot];
  if (!is_finite(s.record.scheduled)) {
    s.record.scheduled = batch.formed;
    s.record.cached_tokens = cached_tokens(s);
    if (around_.journal) around_.journal->on_scheduled(s, batch.number);
    if (queue_times_) queue_times_->add(s.record.scheduled - s.record.queued, s.record.scheduled);
  } else if (s.lost && around_.journal) {
    around_.journal->on_joined(s, batch.number);
  }
  if (std::exchange(s.lost, false) && batch.formed - s.lost_at > s.record.caused_delay) {
    s.record.caused_delay = batch.formed - s.lost_at;
    s.record.cause = s.lost_by;
  }
  s.admitted_batch = batch.number;
  s.phase = Phase::prefilling;
  s.prefilled = cached_tokens(s);
  take_blocks(s, kv_.blocks_for(s.prefilled));
  ++running_;
  link_last(slot);
  run_chunk(batch, slot, tokens);
}

void Replica::take_blocks(Sequence& s, std::int64_t blocks) {
  kv_.allocate(blocks);
  if (blocks > 0) blocks_.take(s.blocks, blocks);
}

// Behind those who run: the blocks of their next token are reserved, so nobody has to give way for them. A cut
// prefill stays last in the running list.
void Replica::join_imported() {
  Lane& lane = *lane_;
  while (!lane.imported.empty() && lane.partial == no_slot && running_ < limits_.seats) {
    const Slot slot = lane.imported.front();
    lane.imported.pop_front();
    Sequence& s = parts_.pool[slot];
    s.admitted_batch = s.last_chunk_batch = next_number_;
    ++running_;
    link_last(slot);
    lane.decoding.join(slot, s, lane.next_number - 1, s.output_target - s.generated);
    if (around_.journal) around_.journal->on_joined(s, next_number_);
    joined_.push_back(slot);
  }
}

// One that ends with its first token has nothing to decode elsewhere.
bool Replica::hands_over(const Sequence& s) const {
  const std::int64_t generated_before = s.prompt - s.record.input_tokens;
  return around_.prefills_only && s.output_target - generated_before > 1;
}

void Replica::announce_chunks(const Batch& batch) const {
  const Seconds begin = batch.gpu_end - batch.time.gpu();
  for (std::size_t i = 0; i < batch.chunks.size(); ++i) {
    if (!hands_over(parts_.pool[batch.chunk_slots[i]])) continue;
    around_.handover->on_chunk(batch.chunk_slots[i], batch.chunks[i].context, batch.chunks[i].tokens, begin, batch.gpu_end);
  }
}

void Replica::run_chunk(Batch& batch, Slot slot, std::int64_t tokens) {
  Lane& lane = *batch.lane;
  Sequence& s = parts_.pool[slot];
  take_blocks(s, kv_.blocks_for(s.prefilled + tokens) - kv_.blocks_for(s.prefilled));
  const bool last = s.prefilled + tokens == s.prompt;
  batch.chunks.push_back({tokens, s.prefilled, last});
  batch.chunk_slots.push_back(slot);
  batch.members += member_hash(s.record.id);
  batch.request = static_cast<std::int64_t>(s.record.id.value);
  batch.prefill_tokens += tokens;
  s.prefilled += tokens;
  s.last_chunk_batch = batch.number;
  lane.partial = last ? no_slot : slot;
  if (!last) return;

  batch.first_tokens.push_back(slot);
  ++s.generated;
  const std::int64_t remaining = s.output_target - s.generated;
  if (hands_over(s)) {
    s.phase = Phase::moving;
    unlink(slot);
    batch.handed_over.push_back(slot);
  } else if (remaining > 0) {
    lane.decoding.join(slot, s, batch.lane_number, remaining);
    lane.members += member_hash(s.record.id);
    const std::int64_t cached = cached_tokens(s);
    s.shares = cached > 0;
    if (s.shares) lane.shared.join(s.prompt_text, cached);
  } else {
    s.remaining = 0;
    s.prefill_batch = batch.lane_number;
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

// Those who decoded first, then the chunks: a sequence whose prefill ends here decodes from the next batch on.
void Replica::follow_drift(const Batch& batch) {
  if (batch.time.plan == nullptr) return;
  IDriftTracker& drift = *batch.lane->drift;
  const plan::ExecutionPlan& plan = batch.plan;
  const bool decodes = batch.decode_sequences > 0;
  const BatchSignature signature{batch.lane_number, plan.signature, plan.repeatable,
                                 decodes ? &plan.attention : nullptr};
  drift.on_batch(signature);
  for (std::size_t i = 0; i < batch.chunks.size(); ++i) {
    const Slot slot = batch.chunk_slots[i];
    drift.on_chunk(slot, batch.chunks[i].context, batch.chunks[i].tokens, signature);
    const Sequence& s = parts_.pool[slot];
    if (s.phase == Phase::decoding) drift.on_decode_start(slot, batch.lane_number, s.prompt);
  }
  for (const Slot slot : batch.finishing) {
    parts_.pool[slot].record.drift = drift.on_finished(slot, batch.lane_number, parts_.pool[slot].output_target);
  }
}

}  // namespace brink::serving
