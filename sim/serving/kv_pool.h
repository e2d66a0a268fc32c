// The KV blocks of one replica, as counts. All ranks of a replica share one block table.
#pragma once

#include <cstdint>

namespace brink::serving {

class KvPool {
 public:
  KvPool(std::int64_t blocks, std::int64_t block_size) : total_(blocks), free_(blocks), block_size_(block_size) {}

  [[nodiscard]] std::int64_t total() const { return total_; }
  [[nodiscard]] std::int64_t free() const { return free_; }
  [[nodiscard]] std::int64_t used() const { return total_ - free_ - held_; }
  /// Of departed requests, kept by a background consumer.
  [[nodiscard]] std::int64_t held() const { return held_; }
  [[nodiscard]] std::int64_t block_size() const { return block_size_; }
  [[nodiscard]] std::int64_t blocks_for(std::int64_t tokens) const { return (tokens + block_size_ - 1) / block_size_; }

  /// Throws Error when fewer than `blocks` are free: callers check first.
  void allocate(std::int64_t blocks);
  /// Throws Error when more come back than were given.
  void release(std::int64_t blocks);
  /// The same, but `held` of them stay out until return_held().
  void release_held(std::int64_t blocks, std::int64_t held);
  void return_held(std::int64_t blocks);

 private:
  std::int64_t total_, free_, block_size_;
  std::int64_t held_ = 0;
};

}  // namespace brink::serving
