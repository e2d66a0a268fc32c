#include "sim/serving/kv_shards.h"

#include <algorithm>
#include <cassert>

namespace brink::serving {

std::vector<KvShard> kv_shards(std::int64_t kv_heads, std::int64_t from_ranks, std::int64_t to_ranks) {
  assert(kv_heads % from_ranks == 0 || from_ranks % kv_heads == 0);
  assert(kv_heads % to_ranks == 0 || to_ranks % kv_heads == 0);
  const std::int64_t copies = std::max<std::int64_t>(from_ranks / kv_heads, 1);
  std::vector<KvShard> out;
  for (std::int64_t to = 0; to < to_ranks; ++to) {
    const std::int64_t first = to * kv_heads / to_ranks;
    const std::int64_t count = std::max<std::int64_t>(kv_heads / to_ranks, 1);
    for (std::int64_t head = first; head < first + count; ++head) {
      const std::int64_t from = copies > 1 ? head * copies + to % copies : head * from_ranks / kv_heads;
      if (!out.empty() && out.back().to == to && out.back().from == from) {
        ++out.back().heads;
      } else {
        out.push_back({from, to, 1});
      }
    }
  }
  return out;
}

}  // namespace brink::serving
