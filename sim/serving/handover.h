// Prefill/decode disaggregation: from the end of a prompt's prefill to its first decode step elsewhere.
//
// The router picks a decode replica and asks it for blocks: when the prefill begins if KV is sent layer by layer, else
// when it ends. Reservations of a replica are granted first come, first served. Then every shard of the KV goes from
// GPU to GPU as a flow of its own over the fabric; when the last one is there the sender's blocks come back and the
// request joins the receiver's next batch.
//
// By layer: a chunk's KV of all layers but the last may leave once the first layer has run, the last layer's once the
// chunk is done. One flow for each of the two parts gives what sending every layer when it is ready gives:
// max(T + B / (L R), T / L + B / R) after the chunk began, for a chunk of T seconds and B bytes in L layers over a
// path of R bytes/s.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "models/base/histogram.h"
#include "sim/policy/i_router.h"
#include "sim/serving/i_handover.h"
#include "sim/serving/kv_shards.h"
#include "sim/serving/replica.h"
#include "sim/world/i_network.h"

namespace brink::serving {

struct HandoverSettings {
  bool by_layer = true;
  bool whole_blocks = true;      // what a block has room for is sent with it
  std::int64_t layers = 1;
  std::int64_t kv_heads = 1;
  Bytes head_token;              // KV of one token in one head, over all layers
};

struct HandoverStats {
  std::int64_t requests = 0;     // handed over
  Bytes bytes;                   // of them, over all shards
  std::int64_t waited = 0;       // had to wait for blocks
  LogHistogram delay;            // s from the end of the prefill to the KV being there
};

class Handover final : public IHandover, public world::EventHandler {
 public:
  struct Parts {
    world::IClock& clock;
    world::INetwork& network;
    SequencePool& pool;
    policy::IRouter& router;     // of the decode pool
  };

  /// `component` orders its events among those of one instant.
  Handover(std::uint32_t component, const HandoverSettings& settings, Parts parts)
      : component_(component), settings_(settings), parts_(parts) {}

  /// Replicas with the GPU of each rank, numbered as their ReplicaId says: first the prefill ones, then the others.
  void add_prefill(Replica& replica, std::vector<std::size_t> gpus);
  void add_decode(Replica& replica, std::vector<std::size_t> gpus);

  void on_chunk(Slot slot, std::int64_t before, std::int64_t tokens, Seconds begin, Seconds end) override;
  void on_prefilled(Slot slot) override;
  void on_room(ReplicaId replica) override;
  void on_event(std::uint32_t kind, std::uint64_t data) override;

  [[nodiscard]] const HandoverStats& stats() const { return stats_; }
  /// Nothing is under way.
  [[nodiscard]] bool idle() const { return streams_.empty(); }

 private:
  struct Member {
    Replica* replica = nullptr;
    std::vector<std::size_t> gpus;
  };
  /// One request's KV on its way. Amounts are in tokens; part of a token stands for some of its layers.
  struct Stream {
    Slot slot = no_slot;
    std::size_t from = 0, to = 0;     // into prefill_ and decode_
    std::deque<double> soon;          // of it, ready at the layer events to come
    double planned = 0.0;             // the largest of them so far
    double ready = 0.0, sending = 0.0, sent = 0.0;
    std::size_t flows = 0;            // under way
    bool reserved = false, complete = false;
    Seconds prefilled;
  };
  using Streams = std::map<std::uint64_t, Stream>;

  Streams::iterator stream_of(Slot slot);
  void grant(std::size_t decode);
  void proceed(Streams::iterator at);
  void send(std::uint64_t id, Stream& stream);
  void finish(Streams::iterator at);
  [[nodiscard]] double total(const Sequence& s, const Stream& stream) const;
  [[nodiscard]] Bytes shard_bytes(const KvShard& shard, double tokens) const;

  std::uint32_t component_;
  HandoverSettings settings_;
  Parts parts_;
  std::vector<Member> prefill_, decode_;
  std::vector<KvShard> shards_;            // the same for every pair of replicas
  std::vector<std::deque<std::uint64_t>> asking_;  // by decode replica: streams without blocks
  std::vector<std::int64_t> coming_;       // by decode replica
  std::vector<policy::ReplicaView> views_; // reused
  Streams streams_;
  std::vector<std::uint64_t> by_slot_;     // 0: none
  std::uint64_t next_ = 1;
  HandoverStats stats_;
};

}  // namespace brink::serving
