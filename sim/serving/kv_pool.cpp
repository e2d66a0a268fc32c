#include "sim/serving/kv_pool.h"

#include <fmt/format.h>

#include "models/base/error.h"

namespace brink::serving {

void KvPool::allocate(std::int64_t blocks) {
  if (blocks < 0 || blocks > free_) {
    throw Error(fmt::format("KV pool: {} blocks asked for, {} of {} free", blocks, free_, total_));
  }
  free_ -= blocks;
}

void KvPool::release(std::int64_t blocks) {
  if (blocks < 0 || blocks > used()) {
    throw Error(fmt::format("KV pool: {} blocks returned, only {} are out", blocks, used()));
  }
  free_ += blocks;
}

void KvPool::release_held(std::int64_t blocks, std::int64_t held) {
  if (held < 0 || held > blocks) throw Error(fmt::format("KV pool: {} of {} returned blocks held back", held, blocks));
  release(blocks);
  free_ -= held;
  held_ += held;
}

void KvPool::return_held(std::int64_t blocks) {
  if (blocks < 0 || blocks > held_) {
    throw Error(fmt::format("KV pool: {} held blocks returned, only {} are held", blocks, held_));
  }
  held_ -= blocks;
  free_ += blocks;
}

}  // namespace brink::serving
