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
                 std::shared_ptr<cost::IStepCost> cost, Parts parts, Surroundings surroundings)
    : id_(id), component_(component), config_(config), cost_(std::move(cost)), parts_(parts),
      around_(std::move(surroundings)), lanes_(), lane_(nullptr), kv_(config.kv_blocks, config.block_size),
      blocks_(config.kv_blocks),
      limits_{config.max_num_seqs, config.max_num_batched_tokens} {
  for (std::int32_t i = 0; i < around_.tenants; ++i) lanes_.emplace_back(config.block_size);
  if (around_.make_drift) {
    for (Lane& lane : lanes_) lane.drift = around_.make_drift();
  }
  if (lanes_.size() > 1) turn_ = policy::make_round_robin_turn();
  lane_ = &lanes_.front();
  host_free_ = around_.ready;
  if (around_.measure_load) queue_times_.emplace(*around_.measure_load);
}

void Replica::enqueue(Slot slot) {
  const Seconds now = parts_.clock.now();
  Sequence& s = parts_.pool[slot];
  if (!is_finite(s.record.scheduled)) s.record.queued = now;
  s.record.replica = id_;
  s.lane = lanes_.size() > 1 ? s.record.tenant : 0;
  lane_of(s).waiting.push_back(slot);
  if (turn_) turn_->join(s.lane);
  if (around_.journal) {
    around_.journal->on_enqueued(s);
    if (s.record.truncation != nullptr) around_.journal->on_shaped(s, now);
  }
  parts_.recorder.on_queue(id_, now, waiting());
  if (in_flight_ == 0) request_form(std::max(now, host_free_));
}

bool Replica::reserve_import(Slot slot) {
  Sequence& s = parts_.pool[slot];
  const std::int64_t blocks = kv_.blocks_for(s.prompt + 1);
  const bool preempted = std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return !lane.waiting.empty(); });
  if (preempted || blocks > kv_.free()) return false;
  kv_.allocate(blocks);
  blocks_.take(s.reserved, blocks);
  ++moving_;
  return true;
}

void Replica::import(Slot slot) {
  Sequence& s = parts_.pool[slot];
  s.record.replica = id_;
  s.lane = lanes_.size() > 1 ? s.record.tenant : 0;
  s.blocks = std::exchange(s.reserved, {});
  lane_of(s).imported.push_back(slot);
  if (turn_) turn_->join(s.lane);
  --moving_;
  parts_.recorder.on_queue(id_, parts_.clock.now(), waiting());
  wake();
}

void Replica::release_handed_over(Slot slot) {
  release_blocks(slot, parts_.pool[slot].prompt, false);
  --moving_;
  wake();
}

void Replica::wake() {
  const bool work = std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.has_work(); });
  if (in_flight_ == 0 && work) request_form(std::max(parts_.clock.now(), host_free_));
}

std::int64_t Replica::waiting() const {
  std::size_t count = 0;
  for (const Lane& lane : lanes_) count += lane.waiting.size() + lane.imported.size();
  return static_cast<std::int64_t>(count);
}

policy::ReplicaView Replica::view() const { return {waiting(), running_, kv_.used(), kv_.total()}; }

ReplicaLoad Replica::load() const {
  return {waiting(), running_, queue_times_ ? queue_times_->value() : Seconds(0.0), step_time_};
}

bool Replica::idle() const {
  return waiting() == 0 && running_ == 0 && in_flight_ == 0 && kv_.used() == 0 && kv_.held() == 0;
}

KvView Replica::kv_view() const {
  KvView view;
  view.now = parts_.clock.now();
  view.batch = next_number_ == 0 ? 0 : next_number_ - 1;
  view.total = kv_.total();
  view.free = kv_.free();
  view.held = kv_.held();
  view.block_size = kv_.block_size();
  view.block = config_.kv_block;
  view.ranks = config_.ranks;
  return view;
}

void Replica::return_held(std::int64_t blocks) {
  kv_.return_held(blocks);
  blocks_.put_back(blocks);
  wake();
  if (around_.handover != nullptr && !around_.prefills_only) around_.handover->on_room(id_);
}

std::int64_t Replica::tokens(std::int64_t i) const {
  const Sequence& s = parts_.pool[lane_->waiting[static_cast<std::size_t>(i)]];
  return s.prompt - cached_tokens(s);
}

std::int64_t Replica::cached(std::int64_t i) const {
  return cached_tokens(parts_.pool[lane_->waiting[static_cast<std::size_t>(i)]]);
}

// A hit covers full blocks and leaves at least one token to compute (vLLM V1,
// kv_cache_manager.get_computed_blocks). Cached texts are taken to stay: a pool of texts that
// are sent again and again is small beside the KV pool.
std::int64_t Replica::cached_tokens(const Sequence& s) const {
  if (s.prompt_text < 0 || !config_.prefix_caching) return 0;
  const auto& seen = lane_->seen_texts;
  const auto text = static_cast<std::size_t>(s.prompt_text);
  if (text >= seen.size() || !seen[text]) return 0;
  return std::min(s.kept_prefix, s.record.input_tokens - 1) / config_.block_size * config_.block_size;
}

void Replica::remember_text(const Sequence& s) {
  if (s.prompt_text < 0) return;
  auto& seen = lane_->seen_texts;
  const auto text = static_cast<std::size_t>(s.prompt_text);
  if (text >= seen.size()) seen.resize(text + 1, false);
  seen[text] = true;
}

void Replica::on_event(std::uint32_t kind, std::uint64_t life) {
  if (life != life_) return;
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
  parts_.clock.schedule(when, world::Priority::step_start, component_, *this, form_event, life_);
}

// The host's turn: form a batch if the pipeline has room, then see to the next thing it does.
void Replica::form() {
  const Seconds now = parts_.clock.now();
  host_free_ = std::max(host_free_, now);
  if (in_flight_ < depth() && form_any_batch()) {
    host_free_ = now + in_flight(in_flight_ - 1).time.host_before;
    if (in_flight_ < depth()) return request_form(host_free_);
  }
  if (in_flight_ > 0) {
    schedule_output();
  } else {
    check_not_stuck();
  }
}

// Isolated tenants take turns; one whose work does not fit now lets the next one try.
bool Replica::form_any_batch() {
  if (!turn_) {
    lane_ = &lanes_.front();
    return lane_->has_work() && form_batch();
  }
  for (std::int64_t tries = turn_->size(); tries > 0; --tries) {
    const std::int32_t tenant = turn_->next();
    lane_ = &lanes_[static_cast<std::size_t>(tenant)];
    if (!lane_->has_work()) {
      turn_->leave(tenant);
      continue;
    }
    if (form_batch()) return true;
    turn_->pass();
  }
  return false;
}

void Replica::check_not_stuck() const {
  // Blocks that consumers keep, or KV on its way, come back by themselves and wake the replica.
  if (waiting() == 0 || kv_.held() > 0 || moving_ > 0) return;
  const auto lane = std::find_if(lanes_.begin(), lanes_.end(), [](const Lane& l) { return !l.waiting.empty(); });
  const Sequence& s = parts_.pool[lane->waiting.front()];
  throw Error(fmt::format("replica {} is empty and still cannot start its next request ({} tokens to prefill, {} KV "
                          "blocks of {} tokens, {} tokens a step)",
                          id_.value, s.prompt, kv_.total(), kv_.block_size(), config_.max_num_batched_tokens));
}

void Replica::schedule_output() {
  const Batch& oldest = in_flight(0);
  const Seconds when = std::max(oldest.gpu_end, host_free_) + oldest.time.host_after;
  parts_.clock.schedule(when, world::Priority::step_end, component_, *this, output_event, life_);
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
