#include "sim/serving/handover.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace brink::serving {

namespace {

enum Kind : std::uint32_t { layer_event, arrived_event };

}  // namespace

void Handover::add_prefill(Replica& replica, std::vector<std::size_t> gpus) {
  prefill_.push_back({&replica, std::move(gpus)});
}

void Handover::add_decode(Replica& replica, std::vector<std::size_t> gpus) {
  decode_.push_back({&replica, std::move(gpus)});
  asking_.emplace_back();
  coming_.push_back(0);
  if (shards_.empty()) {
    shards_ = kv_shards(settings_.kv_heads, static_cast<std::int64_t>(prefill_.front().gpus.size()),
                        static_cast<std::int64_t>(decode_.front().gpus.size()));
  }
}

// A request's stream; the first time its decode replica is chosen and asked for blocks.
Handover::Streams::iterator Handover::stream_of(Slot slot) {
  if (slot >= by_slot_.size()) by_slot_.resize(slot + std::size_t{1}, 0);
  if (by_slot_[slot] != 0) return streams_.find(by_slot_[slot]);
  const Sequence& s = parts_.pool[slot];
  views_.clear();
  for (std::size_t i = 0; i < decode_.size(); ++i) {
    views_.push_back(decode_[i].replica->view());
    views_.back().waiting += coming_[i];
  }
  const std::uint64_t id = next_++;
  Stream stream;
  stream.slot = slot;
  stream.from = static_cast<std::size_t>(s.record.replica.value);
  stream.to = parts_.router.route({s.record.id, s.record.input_tokens, s.record.tenant}, views_);
  by_slot_[slot] = id;
  ++coming_[stream.to];
  asking_[stream.to].push_back(id);
  const std::size_t decode = stream.to;
  const auto at = streams_.emplace(id, std::move(stream)).first;
  grant(decode);
  if (!at->second.reserved) ++stats_.waited;
  return at;
}

double Handover::total(const Sequence& s, const Stream& stream) const {
  if (!settings_.whole_blocks) return static_cast<double>(s.prompt);
  const std::int64_t block = prefill_[stream.from].replica->config().block_size;
  return static_cast<double>((s.prompt + block - 1) / block * block);
}

void Handover::on_chunk(Slot slot, std::int64_t before, std::int64_t tokens, Seconds begin, Seconds end) {
  if (!settings_.by_layer) return;
  const auto at = stream_of(slot);
  Stream& stream = at->second;
  const auto layers = static_cast<double>(settings_.layers);
  const double early = static_cast<double>(before) + static_cast<double>(tokens) * (layers - 1.0) / layers;
  // What a preempted prompt computes again has been planned before.
  if (early <= stream.planned) return;
  stream.planned = early;
  stream.soon.push_back(early);
  parts_.clock.schedule(begin + (end - begin) / layers, world::Priority::delivery, component_, *this, layer_event, at->first);
}

void Handover::on_prefilled(Slot slot) {
  const auto at = stream_of(slot);
  Stream& stream = at->second;
  stream.complete = true;
  stream.prefilled = parts_.clock.now();
  stream.ready = total(parts_.pool[slot], stream);
  ++stats_.requests;
  proceed(at);
}

void Handover::on_room(ReplicaId replica) { grant(static_cast<std::size_t>(replica.value) - prefill_.size()); }

void Handover::grant(std::size_t decode) {
  auto& line = asking_[decode];
  while (!line.empty()) {
    const auto at = streams_.find(line.front());
    if (!decode_[decode].replica->reserve_import(at->second.slot)) return;
    line.pop_front();
    at->second.reserved = true;
    proceed(at);
  }
}

void Handover::on_event(std::uint32_t kind, std::uint64_t data) {
  const auto at = streams_.find(data);
  if (at == streams_.end()) return;
  Stream& stream = at->second;
  if (kind == layer_event) {
    stream.ready = std::max(stream.ready, stream.soon.front());
    stream.soon.pop_front();
  } else if (--stream.flows == 0) {
    stream.sent = stream.sending;
  }
  proceed(at);
}

void Handover::proceed(Streams::iterator at) {
  Stream& stream = at->second;
  if (!stream.reserved || stream.flows > 0) return;
  if (stream.ready > stream.sent) {
    send(at->first, stream);
  } else if (stream.complete) {
    finish(at);
  }
}

// Whole bytes, so that the parts add up to the whole.
Bytes Handover::shard_bytes(const KvShard& shard, double tokens) const {
  return Bytes(std::round(settings_.head_token.value() * static_cast<double>(shard.heads) * tokens));
}

void Handover::send(std::uint64_t id, Stream& stream) {
  stream.sending = stream.ready;
  stream.flows = shards_.size();
  const Member& from = prefill_[stream.from];
  const Member& to = decode_[stream.to];
  for (const KvShard& shard : shards_) {
    const Bytes size = shard_bytes(shard, stream.sending) - shard_bytes(shard, stream.sent);
    stats_.bytes += size;
    parts_.network.transfer(from.gpus[static_cast<std::size_t>(shard.from)], to.gpus[static_cast<std::size_t>(shard.to)],
                            size, component_, *this, arrived_event, id);
  }
}

void Handover::finish(Streams::iterator at) {
  const Slot slot = at->second.slot;
  Replica& from = *prefill_[at->second.from].replica;
  Replica& to = *decode_[at->second.to].replica;
  stats_.delay.add((parts_.clock.now() - at->second.prefilled).value());
  --coming_[at->second.to];
  by_slot_[slot] = 0;
  streams_.erase(at);
  from.release_handed_over(slot);
  to.import(slot);
}

}  // namespace brink::serving
