#include "sim/conditions/forced_evaporation.h"

namespace brink::conditions {

std::int64_t ForcedEvaporation::retain(const serving::KvView& view, const serving::KvDeparture& request,
                                       std::int64_t held_already) {
  if (request.preempted) return 0;
  while (!finished_.empty() && finished_.front() + Seconds(1.0) <= view.now) finished_.pop_front();
  finished_.push_back(view.now);
  if (static_cast<double>(finished_.size()) <= settings_.sequences_per_s) return 0;
  const std::int64_t blocks = request.blocks - held_already;
  if (blocks <= 0) return 0;
  held_ += blocks;
  events_.hold(view.now, held_, view.total, blocks);
  clock_.schedule(view.now + settings_.hold, world::Priority::condition, component_, *this, 0,
                  static_cast<std::uint64_t>(blocks));
  return blocks;
}

void ForcedEvaporation::on_event(std::uint32_t, std::uint64_t data) {
  const auto blocks = static_cast<std::int64_t>(data);
  held_ -= blocks;
  const serving::KvView view = owner_.kv_view();
  events_.hold(view.now, held_, view.total, 0);
  if (held_ == 0) events_.rest();
  owner_.return_held(blocks);
}

}  // namespace brink::conditions
