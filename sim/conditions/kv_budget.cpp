#include "sim/conditions/kv_budget.h"

#include <cmath>
#include <limits>

namespace brink::conditions {

std::int64_t KvBudget::room(const serving::KvView& view) const {
  if (!coordinated_) return std::numeric_limits<std::int64_t>::max();
  std::int64_t pinned = 0;
  for (const serving::IKvConsumer* consumer : *all_) pinned += consumer->pinned();
  // Held blocks are pinned and not free: counted once.
  const auto floor = static_cast<std::int64_t>(std::ceil(share_ * static_cast<double>(view.total)));
  return view.free + view.held - pinned - floor;
}

}  // namespace brink::conditions
