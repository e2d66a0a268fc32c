// A replica reduced to its KV pool: requests arrive, prefill in one batch, decode a token a batch and leave, while
// background consumers withhold blocks. Every block is an object, so double use and leaks are found.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <stdexcept>
#include <vector>

#include "sim/serving/i_kv_consumer.h"
#include "sim/world/i_clock.h"
#include "tests/support/fake_clock.h"

namespace brink::testing {

/// Keeps every event.
class ListLedger final : public world::ILedger {
 public:
  world::CauseId add(const world::LedgerEvent& event) override {
    events.push_back(event);
    return static_cast<world::CauseId>(events.size());
  }
  void extend(world::CauseId, Seconds, Seconds, double, std::int64_t) override {}

  std::vector<world::LedgerEvent> events;
};

class KvDriver final : public serving::IKvOwner, public world::EventHandler {
 public:
  struct Settings {
    std::int64_t blocks = 4096, block_size = 16;
    Bytes block = mib(2);
    Seconds step{0.02};
    double requests_per_step = 1.0;   // arrive evenly
    std::int64_t prompt = 512, output = 64;  // tokens
    std::int64_t seats = 256;
    std::uint64_t steps = 2000;
  };

  KvDriver(const Settings& settings, FakeClock& clock) : settings_(settings), clock_(clock), free_(settings.blocks) {}

  void attach(serving::IKvConsumer& consumer) { consumer_ = &consumer; }
  void run() {
    clock_.schedule(clock_.now(), world::Priority::step_start, 0, *this, 0, 0);
    clock_.run();
  }

  [[nodiscard]] serving::KvView kv_view() const override {
    serving::KvView v;
    v.now = clock_.now();
    v.batch = batches_ == 0 ? 0 : batches_ - 1;
    v.total = settings_.blocks;
    v.free = free_;
    v.held = held_;
    v.block_size = settings_.block_size;
    v.block = settings_.block;
    v.decode_sequences = decoding_;
    return v;
  }
  void return_held(std::int64_t blocks) override {
    if (blocks <= 0 || blocks > held_) throw std::logic_error("more blocks come back than are held");
    held_ -= blocks;
    free_ += blocks;
    returned += blocks;
  }

  std::int64_t retained = 0, returned = 0;  // blocks
  std::int64_t preemptions = 0, finished = 0;
  double lowest_share = 1.0;                // of the pool, free + held - pinned
  std::int64_t lowest_free = 1 << 30, highest_held = 0;
  std::uint64_t evaporated_steps = 0;       // with less than 5 % effectively free

  void on_event(std::uint32_t, std::uint64_t) override {
    arrive();
    reserve();
    admit();
    write();
    observe();
    if (++steps_ < settings_.steps || !running_.empty()) {
      clock_.schedule(clock_.now() + settings_.step, world::Priority::step_start, 0, *this, 0, 0);
    }
  }

 private:
  struct Request {
    std::int64_t tokens = 0, decoded = 0, left = 0;
    std::uint64_t admitted = 0;
  };

  [[nodiscard]] std::int64_t blocks_of(const Request& r) const {
    return (r.tokens + settings_.block_size - 1) / settings_.block_size;
  }
  void arrive() {
    if (steps_ >= settings_.steps) return;
    credit_ += settings_.requests_per_step;
    for (; credit_ >= 1.0; credit_ -= 1.0) waiting_.push_back({settings_.prompt, 0, settings_.output - 1, 0});
  }
  // The last of the running list gives way while blocks are short.
  void reserve() {
    preempted_ = false;
    for (std::size_t i = 0; i < running_.size(); ++i) {
      if (running_[i].tokens % settings_.block_size != 0) continue;
      while (free_ == 0 && i < running_.size()) preempt();
      if (i < running_.size()) --free_;
    }
  }
  void preempt() {
    Request r = running_.back();
    running_.pop_back();
    leave(r, true);
    r.decoded = 0;
    waiting_.push_front(r);
    ++preemptions;
    preempted_ = true;
  }
  void admit() {
    fresh_ = 0;
    if (preempted_) return;
    while (!waiting_.empty() && static_cast<std::int64_t>(running_.size()) < settings_.seats) {
      Request r = waiting_.front();
      if (blocks_of(r) > free_) break;
      waiting_.pop_front();
      free_ -= blocks_of(r);
      r.admitted = batches_;
      running_.push_back(r);
      ++fresh_;
    }
  }
  void write() {
    if (running_.empty()) return;
    std::int64_t tokens = 0;
    const std::size_t old = running_.size() - static_cast<std::size_t>(fresh_);
    decoding_ = static_cast<std::int64_t>(old);
    for (std::size_t i = 0; i < running_.size(); ++i) {
      Request& r = running_[i];
      if (i < old) {
        ++r.tokens;
        ++r.decoded;
        --r.left;
        ++tokens;
      } else {
        tokens += r.tokens;
      }
    }
    ++batches_;
    if (consumer_ != nullptr) consumer_->on_batch(kv_view(), tokens);
    for (std::size_t i = 0; i < running_.size();) {
      if (running_[i].left > 0) {
        ++i;
        continue;
      }
      const Request r = running_[i];
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
      leave(r, false);
      ++finished;
    }
  }
  void leave(const Request& r, bool preempted) {
    serving::KvDeparture d;
    d.blocks = blocks_of(r);
    d.tokens = r.tokens;
    d.decoded = r.decoded;
    d.admitted_batch = d.prefilled_batch = r.admitted;
    d.preempted = preempted;
    const std::int64_t kept = consumer_ != nullptr ? consumer_->retain(kv_view(), d, 0) : 0;
    if (kept < 0 || kept > d.blocks) throw std::logic_error("more blocks were retained than the request had");
    free_ += d.blocks - kept;
    held_ += kept;
    retained += kept;
  }
  void observe() {
    std::int64_t used = 0;
    for (const Request& r : running_) used += blocks_of(r);
    if (used + free_ + held_ != settings_.blocks) throw std::logic_error("blocks leaked");
    const std::int64_t pinned = consumer_ != nullptr ? consumer_->pinned() : 0;
    if (pinned < held_) throw std::logic_error("held blocks are not pinned");
    const double share = static_cast<double>(free_ + held_ - pinned) / static_cast<double>(settings_.blocks);
    lowest_share = std::min(lowest_share, share);
    lowest_free = std::min(lowest_free, free_);
    highest_held = std::max(highest_held, held_);
    if (share < 0.05) ++evaporated_steps;
  }

  Settings settings_;
  FakeClock& clock_;
  serving::IKvConsumer* consumer_ = nullptr;
  std::deque<Request> waiting_;
  std::vector<Request> running_;
  std::int64_t free_, held_ = 0, fresh_ = 0, decoding_ = 0;
  double credit_ = 0.0;
  bool preempted_ = false;
  std::uint64_t steps_ = 0, batches_ = 0;
};

}  // namespace brink::testing
