#include "sim/serving/gateway.h"

#include <algorithm>
#include <utility>

namespace brink::serving {

namespace {

enum Kind : std::uint32_t { arrival_event, admit_event, delivery_event };

}  // namespace

Gateway::Gateway(std::uint32_t component, workload::Workload workload, const FrontEnd& front_end, Parts parts)
    : component_(component), workload_(std::move(workload)), front_end_(front_end), parts_(parts) {}

void Gateway::start() {
  dead_.assign(replicas_.size(), false);
  find_alive();
  pull();
}

// One request is read ahead, never more: memory does not grow with the trace.
void Gateway::pull() {
  next_ = workload_.source->next();
  if (!next_) return;
  const Seconds due = std::max(next_->arrival, parts_.clock.now());
  parts_.clock.schedule(due, world::Priority::arrival, component_, *this, arrival_event);
}

void Gateway::on_event(std::uint32_t kind, std::uint64_t data) {
  switch (kind) {
    case arrival_event:
      if (may_send()) {
        send_next();
      } else {
        held_back_ = true;
      }
      break;
    case admit_event: admit(static_cast<Slot>(data)); break;
    default: deliver(static_cast<Slot>(data)); break;
  }
}

void Gateway::send_next() {
  const Seconds now = parts_.clock.now();
  held_back_ = false;
  if (workload_.stop_sending_at && now >= *workload_.stop_sending_at) {
    next_.reset();
    return;
  }
  const Slot slot = parts_.pool.take(*next_);
  Sequence& s = parts_.pool[slot];
  s.record.sent = now;
  s.output_target = next_->output_tokens;
  if (workload_.prompt_pool) {
    s.prompt_text = static_cast<std::int64_t>(next_->id.value) % *workload_.prompt_pool;
  }
  ++sent_;
  ++in_flight_;
  parts_.recorder.on_in_flight(now, in_flight_);
  parts_.clock.schedule(now + front_end_.request_latency, world::Priority::arrival, component_, *this,
                        admit_event, slot);
  pull();
}

void Gateway::admit(Slot slot) {
  if (parts_.shaper != nullptr) shape(parts_.pool[slot]);
  route(slot);
}

// Routers see the replicas that are alive.
void Gateway::route(Slot slot) {
  if (alive_.empty()) {
    if (!hope_) return end_at_door(slot, Outcome::failed);
    parked_.push_back(slot);
    return;
  }
  Sequence& s = parts_.pool[slot];
  views_.clear();
  for (const std::size_t i : alive_) views_.push_back(replicas_[i]->view());
  const policy::RoutedRequest routed{s.record.id, s.record.input_tokens, s.record.tenant};
  Replica& replica = *replicas_[alive_[parts_.router.route(routed, views_)]];
  const std::int64_t longest = replica.config().max_model_len;
  // vLLM answers such a prompt with an error before it reaches the queue.
  if (s.record.input_tokens >= longest) return end_at_door(slot, Outcome::rejected);
  // An answer ends where the context does.
  s.output_target = std::min(s.output_target, longest - s.record.input_tokens);
  replica.enqueue(slot);
}

void Gateway::end_at_door(Slot slot, Outcome outcome) {
  parts_.pool[slot].record.outcome = outcome;
  parts_.clock.schedule(parts_.clock.now(), world::Priority::delivery, component_, *this, delivery_event, slot);
}

void Gateway::find_alive() {
  alive_.clear();
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    if (!dead_[i]) alive_.push_back(i);
  }
}

std::int64_t Gateway::fail(std::span<const std::size_t> replicas, bool retry, world::CauseId cause) {
  for (const std::size_t i : replicas) dead_[i] = true;
  find_alive();
  std::int64_t count = 0;
  for (const std::size_t i : replicas) {
    for (const Slot slot : replicas_[i]->fail()) {
      ++count;
      Sequence& s = parts_.pool[slot];
      s.lost = true;
      s.lost_at = parts_.clock.now();
      s.lost_by = cause;
      if (retry) {
        route(slot);
      } else {
        s.record.cause = cause;
        end_at_door(slot, Outcome::failed);
      }
    }
  }
  return count;
}

void Gateway::recover(std::size_t replica) {
  dead_[replica] = false;
  find_alive();
  replicas_[replica]->recover();
  for (const Slot slot : std::exchange(parked_, {})) route(slot);
}

void Gateway::set_hope(bool hope) {
  hope_ = hope;
  if (hope_ || !alive_.empty()) return;
  for (const Slot slot : std::exchange(parked_, {})) end_at_door(slot, Outcome::failed);
}

// The effective request is what runs and what is recorded.
void Gateway::shape(Sequence& s) {
  policy::ShapingLoad load;
  load.replicas = static_cast<std::int64_t>(replicas_.size());
  for (const Replica* replica : replicas_) {
    const ReplicaLoad now = replica->load();
    load.waiting += now.waiting;
    load.running += now.running;
    load.queue_p95 = std::max(load.queue_p95, now.queue_p95);
    load.step_time = std::max(load.step_time, now.step_time);
  }
  const policy::ShapedRequest shaped = parts_.shaper->shape({s.record.id, s.record.input_tokens, s.record.tenant}, load);
  s.record.input_tokens = s.prompt = shaped.input_tokens;
  s.kept_prefix = shaped.kept_prefix;
  s.record.truncated = shaped.truncated;
  s.record.truncation = shaped.reason;
  if (shaped.output_tokens_max) s.output_target = std::min(s.output_target, *shaped.output_tokens_max);
}

void Gateway::on_first_token(Slot slot, Seconds at) {
  parts_.pool[slot].record.first_token = at + front_end_.response_latency;
}

void Gateway::on_finished(Slot slot, Seconds at) {
  // A one-token answer is finished by its first token.
  const Seconds first = parts_.pool[slot].record.first_token;
  parts_.clock.schedule(std::max(at + front_end_.response_latency, first), world::Priority::delivery, component_, *this, delivery_event, slot);
}

void Gateway::deliver(Slot slot) {
  const Seconds now = parts_.clock.now();
  Sequence& s = parts_.pool[slot];
  s.record.finish = last_end_ = now;
  s.record.output_tokens = s.generated;
  if (parts_.idle != nullptr && s.record.outcome == Outcome::completed) {
    const IdleLatencies idle = parts_.idle->of(s.record.input_tokens, s.record.cached_tokens, s.record.output_tokens);
    s.record.idle_ttft = idle.ttft;
    s.record.idle_e2e = idle.e2e;
  }
  parts_.recorder.on_request(s.record);
  parts_.pool.release(slot);
  --in_flight_;
  parts_.recorder.on_in_flight(now, in_flight_);
  if (held_back_ && may_send()) send_next();
}

}  // namespace brink::serving
