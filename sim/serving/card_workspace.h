// Scratch memory of engines that take it from the memory KV grows into, or that place blocks rank by rank.
#pragma once

#include <cstdint>

#include "models/memory/rank_memory.h"
#include "sim/serving/surroundings.h"

namespace brink::serving {

class CardWorkspace final : public IWorkspace {
 public:
  CardWorkspace(const memory::MemoryBudget& budget, const memory::RankMemoryOptions& options)
      : memory_(budget, options), step_(options.dynamic_workspace || options.per_rank_allocator) {}

  /// In powers of two, so that a run meets few different values and tables of plans stay small.
  [[nodiscard]] Bytes workspace(std::int64_t kv_blocks_used) override {
    const Bytes bytes = memory_.workspace(kv_blocks_used);
    return step_ ? memory::workspace_class(bytes) : bytes;
  }

 private:
  memory::RankMemory memory_;
  bool step_;
};

}  // namespace brink::serving
