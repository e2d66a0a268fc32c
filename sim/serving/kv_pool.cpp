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
  if (blocks < 0 || free_ + blocks > total_) {
    throw Error(fmt::format("KV pool: {} blocks returned, only {} are out", blocks, used()));
  }
  free_ += blocks;
}

}  // namespace brink::serving
