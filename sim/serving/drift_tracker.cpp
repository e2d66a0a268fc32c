#include "sim/serving/drift_tracker.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/drift/divergence.h"

namespace brink::serving {

namespace {

bool same_rule(const plan::AttentionPlan& a, const plan::AttentionPlan& b) {
  return a.blocks_per_split == b.blocks_per_split && a.uniform_splits == b.uniform_splits && a.cap == b.cap &&
         a.chunk_tokens == b.chunk_tokens && a.ragged_shifts == b.ragged_shifts;
}

/// Whether two rules cut a sequence of `blocks` KV blocks alike.
bool same_cut(const plan::AttentionPlan& a, const plan::AttentionPlan& b, std::int64_t blocks) {
  const std::int64_t splits = a.splits(blocks);
  return splits == b.splits(blocks) && (splits <= 1 || a.split_tokens(blocks) == b.split_tokens(blocks));
}

/// Order of a sequence whose batch ran what the reference runs.
constexpr std::uint64_t reference_order = 0;

}  // namespace

DriftTracker::DriftTracker(const DriftOptions& options, std::shared_ptr<const IReferencePlan> reference,
                           std::shared_ptr<OrderAgreements> agreements)
    : options_(options), hazard_(options.law.hazard()), reference_(std::move(reference)),
      agreements_(std::move(agreements)), decode_order_(reference_->tokens(1)) {}

DriftTracker::Member& DriftTracker::member(Slot slot) {
  if (slot >= members_.size()) {
    members_.resize(slot + 1);
    chunks_.resize(slot + 1);
  }
  return members_[slot];
}

std::int64_t DriftTracker::context(const Member& m, std::uint64_t batch) {
  return m.tokens + static_cast<std::int64_t>(batch - m.number);
}

// A sequence opens a block in the batches that bring its tokens to 1 (mod 128).
std::vector<Slot>& DriftTracker::crossing(const Member& m) {
  const std::uint64_t first = m.number + 1 + static_cast<std::uint64_t>((block - m.tokens % block) % block);
  return crossing_[first % static_cast<std::uint64_t>(block)];
}

void DriftTracker::on_chunk(Slot slot, std::int64_t from, std::int64_t tokens, const BatchSignature& batch) {
  (void)member(slot);
  chunks_[slot].push_back({from, from + tokens, batch.tokens, batch.repeatable});
}

void DriftTracker::on_decode_start(Slot slot, std::uint64_t number, std::int64_t tokens) {
  Member& m = member(slot);
  end_prefill(slot);
  m.phase = Phase::joining;
  m.number = number;
  m.tokens = tokens;
  m.joining_place = joining_.size();
  joining_.push_back(slot);
}

// The reference's chunks are known once the prompt's end is: all but the last hold chunk_max tokens.
bool DriftTracker::in_order(const Chunk& chunk, std::int64_t start, std::int64_t end) const {
  if (!chunk.repeatable) return false;
  const std::int64_t first = (chunk.from - start) / options_.chunk_max;
  const std::int64_t last = (chunk.to - 1 - start) / options_.chunk_max;
  for (std::int64_t i = first; i <= last; ++i) {
    const std::int64_t at = start + i * options_.chunk_max;
    const IReferencePlan::Order alone = reference_->tokens(std::min(options_.chunk_max, end - at));
    if (!alone.repeatable || alone.signature != chunk.tokens) return false;
  }
  return true;
}

void DriftTracker::end_prefill(Slot slot) {
  Member& m = members_[slot];
  std::vector<Chunk>& chunks = chunks_[slot];
  if (chunks.empty()) return;
  const std::int64_t start = chunks.front().from, end = chunks.back().to;
  const bool first_time = m.produced == 0;
  if (first_time) m.chunks = static_cast<std::int64_t>(chunks.size());
  for (const Chunk& chunk : chunks) {
    const bool same = in_order(chunk, start, end);
    if (!same && m.exposed_from == 0) m.exposed_from = m.produced + 1;
    if (!first_time) continue;
    // Executions of one request would run the same chunk here when alone.
    const std::int64_t at = start + (chunk.from - start) / options_.chunk_max * options_.chunk_max;
    const plan::ReductionSig group = reference_->tokens(std::min(options_.chunk_max, end - at)).signature;
    if (!chunk.repeatable) agreements_->prefill.observe_unrepeatable(group);
    else agreements_->prefill.observe(group, same ? reference_order : plan::signature_hash(1, chunk.tokens));
  }
  chunks.clear();
}

void DriftTracker::on_batch(const BatchSignature& batch) {
  const bool repeats = batch.repeatable && decode_order_.repeatable;
  tokens_in_order_ = repeats && batch.tokens == decode_order_.signature;
  const BatchSignature before = std::exchange(current_, batch);
  count_participants();
  count_change(before);
  if (batch.attention != nullptr) current_.attention = &rule_;
  if (!tokens_in_order_) expose_all();
  if (!occupied_.empty()) {
    cross_blocks();
    if (rule_changed_) check_groups();
  }
  merge_joined();
}

void DriftTracker::count_participants() {
  decoding_tokens_ += decoding_;
  for (const Slot slot : joining_) {
    ++decoding_;
    decoding_tokens_ += context(members_[slot], current_.batch);
  }
  participants_before_ = std::exchange(participants_, decoding_);
}

// A change of the attention rule counts when it changes a sequence of mean length. Not of one that decodes by itself: its
// rule follows its own growth, which is the same in every execution.
void DriftTracker::count_change(const BatchSignature& before) {
  bool changed = !current_.repeatable || current_.tokens != before.tokens || !any_batch_;
  any_batch_ = true;
  rule_changed_ = current_.attention != nullptr && (!any_rule_ || !same_rule(*current_.attention, rule_));
  if (rule_changed_) {
    any_rule_ = true;
    const std::int64_t blocks = std::max<std::int64_t>(decoding_ * block, 1);
    const bool company = participants_ > 1 || participants_before_ > 1;
    changed = changed || (company && !same_cut(*current_.attention, rule_, (decoding_tokens_ + blocks - 1) / blocks));
    rule_ = *current_.attention;
  }
  if (changed) ++changes_;
}

void DriftTracker::cross_blocks() {
  std::vector<Slot>& bucket = crossing_[current_.batch % static_cast<std::uint64_t>(block)];
  for (std::size_t i = bucket.size(); i-- > 0;) {
    const Slot slot = bucket[i];
    Member& m = members_[slot];
    leave_group(slot);
    if (attention_in_order(m, m.blocks + 1)) join_group(slot, m.blocks + 1);
    else expose(m);
  }
}

void DriftTracker::check_groups() {
  for (std::size_t i = occupied_.size(); i-- > 0;) {
    const std::int64_t blocks = occupied_[i];
    std::vector<Slot>& group = groups_[static_cast<std::size_t>(blocks)].members;
    if (attention_in_order(members_[group.front()], blocks)) continue;
    while (!group.empty()) {
      const Slot slot = group.back();
      leave_group(slot);
      expose(members_[slot]);
    }
  }
}

void DriftTracker::merge_joined() {
  for (const Slot slot : joining_) begin_decoding(slot);
  joining_.clear();
}

void DriftTracker::begin_decoding(Slot slot) {
  Member& m = members_[slot];
  m.phase = Phase::decoding;
  m.first_change = changes_;
  const std::int64_t blocks = (context(m, current_.batch) + block - 1) / block;
  const bool same = observe(m, blocks);
  if (m.exposed_from != 0) return;
  if (same) join_group(slot, blocks);
  else expose(m);
}

bool DriftTracker::observe(const Member& m, std::int64_t blocks) {
  const auto group = static_cast<std::uint64_t>(blocks);
  const bool same = tokens_in_order_ && attention_in_order(m, blocks);
  if (!current_.repeatable) {
    agreements_->decode.observe_unrepeatable(group);
  } else if (same) {
    agreements_->decode.observe(group, reference_order);
  } else {
    const plan::ReductionSig attention = current_.attention != nullptr ? rule_.signature(blocks) : 0;
    agreements_->decode.observe(group, plan::signature_hash(current_.tokens, attention));
  }
  return same;
}

// FlashInfer cuts by pages of tokens: a sequence by itself is compared with its own length alone, several with that of
// whole blocks (their batch hardly ever cuts them as alone).
bool DriftTracker::attention_in_order(const Member& m, std::int64_t blocks) {
  if (current_.attention == nullptr) return true;
  const plan::ReductionSig signature = rule_.signature(blocks);
  if (signature == alone(blocks)) return true;
  return participants_ == 1 && signature == reference_->attention(context(m, current_.batch));
}

plan::ReductionSig DriftTracker::alone(std::int64_t blocks) {
  const auto i = static_cast<std::size_t>(blocks);
  if (i >= alone_.size()) alone_.resize(i + 1, 0);
  if (alone_[i] == 0) alone_[i] = reference_->attention(blocks * block);
  return alone_[i];
}

void DriftTracker::expose(Member& m) {
  m.exposed_from = m.produced + 1 + static_cast<std::int64_t>(current_.batch - m.number);
}

void DriftTracker::expose_all() {
  for (const std::int64_t blocks : occupied_) {
    std::vector<Slot>& group = groups_[static_cast<std::size_t>(blocks)].members;
    for (const Slot slot : group) {
      Member& m = members_[slot];
      m.grouped = false;
      crossing(m).clear();  // of members that all leave
      expose(m);
    }
    group.clear();
  }
  occupied_.clear();
}

void DriftTracker::join_group(Slot slot, std::int64_t blocks) {
  Member& m = members_[slot];
  const auto i = static_cast<std::size_t>(blocks);
  if (i >= groups_.size()) groups_.resize(i + 1);
  Group& group = groups_[i];
  if (group.members.empty()) {
    group.place = occupied_.size();
    occupied_.push_back(blocks);
  }
  m.grouped = true;
  m.blocks = blocks;
  m.group_place = group.members.size();
  group.members.push_back(slot);
  std::vector<Slot>& bucket = crossing(m);
  m.crossing_place = bucket.size();
  bucket.push_back(slot);
}

void DriftTracker::leave_group(Slot slot) {
  Member& m = members_[slot];
  m.grouped = false;
  std::vector<Slot>& bucket = crossing(m);
  members_[bucket.back()].crossing_place = m.crossing_place;
  bucket[m.crossing_place] = bucket.back();
  bucket.pop_back();

  Group& group = groups_[static_cast<std::size_t>(m.blocks)];
  members_[group.members.back()].group_place = m.group_place;
  group.members[m.group_place] = group.members.back();
  group.members.pop_back();
  if (!group.members.empty()) return;
  const std::int64_t last = occupied_.back();
  occupied_[group.place] = last;
  groups_[static_cast<std::size_t>(last)].place = group.place;
  occupied_.pop_back();
}

void DriftTracker::leave_decoding(Slot slot, std::uint64_t last_batch) {
  Member& m = members_[slot];
  if (m.phase == Phase::decoding) {
    if (m.grouped) leave_group(slot);
    m.changes += changes_ - m.first_change;
    --decoding_;
    decoding_tokens_ -= context(m, last_batch);
  } else {
    members_[joining_.back()].joining_place = m.joining_place;
    joining_[m.joining_place] = joining_.back();
    joining_.pop_back();
  }
  m.produced += 1 + static_cast<std::int64_t>(last_batch - m.number);
  m.phase = Phase::prefill;
}

void DriftTracker::on_preempted(Slot slot, std::uint64_t last_batch) {
  Member& m = member(slot);
  chunks_[slot].clear();
  if (m.phase == Phase::prefill) return;  // what it had prefilled is gone, and so is how
  leave_decoding(slot, last_batch);
  if (options_.batch_invariant) return;
  // Decoded tokens come back as prefilled ones: other kernels, other sums.
  if (m.exposed_from == 0) m.exposed_from = m.produced + 1;
  if (m.broken_from == 0) m.broken_from = m.produced + 1;
}

DriftOutcome DriftTracker::on_finished(Slot slot, std::uint64_t last_batch, std::int64_t output_tokens) {
  if (member(slot).phase == Phase::prefill) {
    end_prefill(slot);
  } else {
    const Member& last = members_[slot];
    if (last_batch == current_.batch) (void)observe(last, (context(last, last_batch) + block - 1) / block);
    leave_decoding(slot, last_batch);
  }
  const Member m = std::exchange(members_[slot], Member{});
  DriftOutcome out;
  out.pairwise = pairwise(m, output_tokens);
  if (m.exposed_from == 0 || m.exposed_from > output_tokens) return out;
  out.exposed_tokens = output_tokens - m.exposed_from + 1;
  out.from_idle = drift::divergence(hazard_, out.exposed_tokens);
  if (hazard_ > 0.0) {
    out.first_flip = static_cast<double>(m.exposed_from - 1) + drift::first_flip(hazard_, out.exposed_tokens);
  }
  return out;
}

double DriftTracker::pairwise(const Member& m, std::int64_t output_tokens) const {
  const double prefill = agreements_->prefill.share(), decode = agreements_->decode.share();
  if (prefill == 1.0 && decode == 1.0 && m.broken_from == 0 && m.changes == 0) return 0.0;
  drift::PairAgreement pair;
  pair.tokens = output_tokens;
  pair.broken_from = m.broken_from;
  pair.prefill = m.chunks == 1 ? prefill : std::pow(prefill, static_cast<double>(m.chunks));
  pair.decode = decode;
  // Both executions change their order as often as this one did. In a step they stay equal when neither changes, or when
  // both do and draw the same.
  const std::int64_t until = m.broken_from > 0 ? std::min(m.broken_from - 1, output_tokens) : output_tokens;
  if (until > 2) {
    const double rate = std::min(1.0, static_cast<double>(m.changes) / static_cast<double>(until - 2));
    pair.step = (1.0 - rate) * (1.0 - rate) + rate * rate * decode;
  }
  return drift::pair_divergence(hazard_, pair);
}

}  // namespace brink::serving
